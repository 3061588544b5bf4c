import { decodePaymentResponseHeader } from '@x402/core/http';
import { type Reason, reasons } from './errors.js';
import { encodeSettlement, type SettlementAnswer } from './payment-response.js';

const known = { network: 'eip155:84532', payer: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8', amount: 1000n } as const;
const transaction = `0x${'ab'.repeat(32)}` as const;
const settled: SettlementAnswer = { outcome: 'settled', transaction, ...known, extensions: { receipt: { id: 1 } } };
const pending: SettlementAnswer = { outcome: 'pending', ...known };
const failed: SettlementAnswer = { outcome: 'failed', reason: 'quote_expired', network: known.network };

function v2(answer: SettlementAnswer) {
  return decodePaymentResponseHeader(encodeSettlement(answer, 2)['PAYMENT-RESPONSE']!);
}

function v1(answer: SettlementAnswer) {
  return decodePaymentResponseHeader(encodeSettlement(answer, 1)['X-PAYMENT-RESPONSE']!);
}

describe('the settlement answer', () => {
  it('says in version 2 what was settled', () => {
    const { payer, network } = known;
    const extensions = { receipt: { id: 1 } };
    expect(v2(settled)).toEqual({ success: true, payer, transaction, network, amount: '1000', extensions });
  });

  it('is a success without a transaction while it is pending', () => {
    expect(v2(pending)).toMatchObject({ success: true, transaction: '', extra: { state: 'pending' } });
    expect(v1(pending)).toEqual({ success: true, payer: known.payer, transaction: '', network: 'base-sepolia' });
  });

  it('says why it failed, and leaves out a payer that is not known', () => {
    expect(v2(failed)).toEqual({
      success: false,
      errorReason: 'quote_expired',
      errorMessage: 'The quote has expired; pay the new offer',
      transaction: '',
      network: 'eip155:84532',
    });
  });

  it('has in version 1 short names and nothing that version 1 does not know', () => {
    expect(v1(settled)).toEqual({ success: true, payer: known.payer, transaction, network: 'base-sepolia' });
    expect(v1(failed)).toEqual({
      success: false,
      errorReason: 'payment_expired',
      transaction: '',
      network: 'base-sepolia',
    });
  });

  /** EVM part of the closed list in the last version 1 client. */
  const v1List = [
    'insufficient_funds',
    'invalid_exact_evm_payload_authorization_valid_after',
    'invalid_exact_evm_payload_authorization_valid_before',
    'invalid_exact_evm_payload_authorization_value',
    'invalid_exact_evm_payload_signature',
    'invalid_exact_evm_payload_undeployed_smart_wallet',
    'invalid_exact_evm_payload_recipient_mismatch',
    'invalid_network',
    'invalid_payload',
    'invalid_payment_requirements',
    'invalid_scheme',
    'invalid_payment',
    'payment_expired',
    'unsupported_scheme',
    'invalid_x402_version',
    'invalid_transaction_state',
    'unexpected_settle_error',
    'unexpected_verify_error',
    'duplicate_settlement',
  ];

  it.each(Object.keys(reasons) as Reason[])('puts %s within the list of version 1', (reason) => {
    expect(v1List).toContain(v1({ ...failed, reason }).errorReason);
  });

  it('cannot answer version 1 for a network that it has no name for', () => {
    expect(() => encodeSettlement({ ...failed, network: 'eip155:31337' }, 1)).toThrow('eip155:31337');
  });
});
