import type { StoredEvent } from '../../base/event-store/event.js';
import { postOfWallet, walletTypes } from './transfer-postings.js';

const NETWORK = 'eip155:84532';
const ASSET = `0x${'cc'.repeat(20)}`;
const WALLET = `0x${'aa'.repeat(20)}`;
const STRANGER = `0x${'bb'.repeat(20)}`;

const transfer = {
  ...{ network: NETWORK, asset: ASSET, wallet: WALLET, counterparty: STRANGER, amount: '70' },
  ...{ transaction: `0x${'11'.repeat(32)}`, logIndex: 3, blockNumber: '9', blockHash: `0x${'22'.repeat(32)}` },
};

function post(type: string, data: object = transfer): string[] {
  const event = {
    position: 5n,
    stream: 's',
    version: 1,
    type,
    schema: 1,
    tenant: 'demo',
    data,
    occurredAt: new Date(0),
  };
  return postOfWallet(event as unknown as StoredEvent).map(
    ({ amount, code, credit, debit }) =>
      `${code} ${debit.kind} <- ${credit.kind} ${debit.party}${credit.party} ${amount}`,
  );
}

describe('postings of wallets', () => {
  it('keeps what nobody explains apart, by sender, and takes it back as it was posted', () => {
    expect(post('InboundTransferFound')).toEqual([`receipt wallet <- suspense ${WALLET}${STRANGER} 70`]);
    const back = [`receipt_reversal suspense <- wallet ${STRANGER}${WALLET} 70`];
    expect(post('InboundTransferReverted')).toEqual(back);
    expect(post('InboundTransferMatched')).toEqual(back);
  });

  it.each([
    ['owner_deposit', 'owner_deposits'],
    ['income', 'other_income'],
    ['returned', 'owner_withdrawals'],
  ])('books what somebody said that it was, %s, out of suspense and back', (as, kind) => {
    const data = { ...transfer, as };
    expect(post('InboundTransferExplained', data)).toEqual([`explanation suspense <- ${kind} ${STRANGER} 70`]);
    expect(post('InboundTransferExplanationWithdrawn', data)).toEqual([
      `explanation_reversal ${kind} <- suspense ${STRANGER} 70`,
    ]);
  });

  it('books what the owner took, and takes it back', () => {
    expect(post('OutboundTransferFound')).toEqual([`withdrawal owner_withdrawals <- wallet ${WALLET} 70`]);
    const back = [`withdrawal_reversal wallet <- owner_withdrawals ${WALLET} 70`];
    expect(post('OutboundTransferReverted')).toEqual(back);
    expect(post('OutboundTransferClaimed')).toEqual(back);
  });

  it('opens a wallet with what it held, and says nothing of an empty one', () => {
    const opened = { network: NETWORK, asset: ASSET, wallet: WALLET, balance: '12', blockNumber: '1', blockHash: '0x' };
    expect(post('WalletOpened', opened)).toEqual([`opening wallet <- opening_balance ${WALLET} 12`]);
    expect(post('WalletOpened', { ...opened, balance: '0' })).toEqual([]);
    expect(walletTypes).toHaveLength(9);
  });
});
