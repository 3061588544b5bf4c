import type { AuthorizationOutcome } from '../../base/chain/chain.js';
import type { AuthorizationTerms } from '../payments/payment.js';
import { failureOf, hasExpired, verdictOf } from './settlement.outcome.js';

const terms = { payee: '0xaa', amount: '25', validBefore: '1000' } as unknown as AuthorizationTerms;
const transfer = {
  ...{ kind: 'transferred', transaction: '0x01', blockNumber: 7n, blockHash: '0xb7', logIndex: 3 },
  ...{ payee: '0xaa', value: 25n, sender: '0x5e' },
} as const satisfies AuthorizationOutcome;

describe('the verdict on an authorization', () => {
  it('is settled by the exact transfer to the payee', () => {
    const data = { transaction: '0x01', blockNumber: '7', blockHash: '0xb7', logIndex: 3 };
    expect(verdictOf(terms, transfer)).toEqual({ kind: 'settled', data, sender: '0x5e', block: 7n });
  });

  it.each([
    ['another payee', { payee: '0xbb' }],
    ['less', { value: 24n }],
    ['more', { value: 26n }],
  ] as const)('is failed by a transfer of %s', (_, change) => {
    expect(verdictOf(terms, { ...transfer, ...change })).toMatchObject({
      data: { reason: 'nonce_used_elsewhere' },
      block: 7n,
    });
  });

  it('is failed by a cancellation', () => {
    const verdict = verdictOf(terms, { kind: 'cancelled', transaction: '0x02', blockNumber: 8n });
    expect(verdict).toMatchObject({ kind: 'failed', data: { reason: 'authorization_cancelled' }, block: 8n });
  });

  it('is open while the nonce is unused', () => {
    expect(verdictOf(terms, { kind: 'unused' })).toEqual({ kind: 'open' });
  });
});

describe('the failure behind a refusal', () => {
  it.each([
    ['ERC20: transfer amount exceeds balance', 'insufficient_funds'],
    ['FiatTokenV2: authorization is expired', 'authorization_expired'],
    ['Blacklistable: account is blacklisted', 'rejected_by_token'],
  ])('of "%s" is %s', (refusal, reason) => {
    expect(failureOf(refusal)).toEqual({ reason, detail: refusal });
  });

  it('keeps only what can be stored of words that a contract may choose', () => {
    expect(failureOf(`a\0b\n${'x'.repeat(195)}\u{1f600}`)?.detail).toBe(`a\ufffdb\ufffd${'x'.repeat(195)}\ufffd`);
  });

  it.each(['FiatTokenV2: authorization is used or canceled', 'FiatTokenV2: authorization is not yet valid'])(
    'is none for "%s", which passes',
    (refusal) => {
      expect(failureOf(refusal)).toBeUndefined();
    },
  );
});

it('an authorization expires at validBefore itself', () => {
  expect(hasExpired(terms, 999n)).toBe(false);
  expect(hasExpired(terms, 1000n)).toBe(true);
});
