import type { AuthorizationOutcome } from '../../base/chain/chain.js';
import { assertNever } from '../../base/shared/assert-never.js';
import type { Address } from '../../base/shared/hex.js';
import type {
  AuthorizationTerms,
  PaymentSettled,
  PaymentSettlementFailed,
  SettlementFailure,
} from '../payments/payment.js';

/** A contract of the payer's may write the refusal, so only its beginning is kept. */
const DETAIL_MAX = 200;

/** What the chain's answer means for one payment, and the block that says so. `open`: the authorization can still be used. */
export type Verdict =
  | {
      readonly kind: 'settled';
      readonly data: Omit<PaymentSettled['data'], 'by'>;
      readonly sender: Address;
      readonly block: bigint;
    }
  | { readonly kind: 'failed'; readonly data: PaymentSettlementFailed['data']; readonly block: bigint }
  | { readonly kind: 'open' };

/** Pure. A used nonce is a payment only if the payee got the exact amount (EIP-3009 nonces are the payer's own). */
export function verdictOf(terms: Pick<AuthorizationTerms, 'amount' | 'payee'>, outcome: AuthorizationOutcome): Verdict {
  switch (outcome.kind) {
    case 'unused':
      return { kind: 'open' };
    case 'cancelled':
      return {
        kind: 'failed',
        data: { reason: 'authorization_cancelled', detail: outcome.transaction },
        block: outcome.blockNumber,
      };
    case 'transferred': {
      const { blockHash, blockNumber: block, logIndex, payee, sender, transaction, value } = outcome;
      if (payee !== terms.payee || value !== BigInt(terms.amount)) {
        return { kind: 'failed', data: { reason: 'nonce_used_elsewhere', detail: transaction }, block };
      }
      const blockNumber = block.toString();
      return { kind: 'settled', data: { transaction, blockNumber, blockHash, logIndex }, sender, block };
    }
    default:
      return assertNever(outcome);
  }
}

/** What FiatToken says, in its own words. */
const REFUSALS: readonly (readonly [RegExp, SettlementFailure])[] = [
  [/exceeds balance|insufficient[ _]funds/i, 'insufficient_funds'],
  [/expired/i, 'authorization_expired'],
];
/** Passing states, not failures: another use is about to be mined, or the time has not come. */
const PASSING = /used or cancell?ed|not yet valid/i;

/** Pure. A refusal as a closed reason, with the token's words as detail; `undefined` if it may pass. */
export function failureOf(refusal: string): PaymentSettlementFailed['data'] | undefined {
  if (PASSING.test(refusal)) return undefined;
  const reason = REFUSALS.find(([words]) => words.test(refusal))?.[1] ?? 'rejected_by_token';
  return { reason, detail: storable(refusal) };
}

/** What Postgres can hold and a log can show on a line: short, no control characters, no half of a character that was cut. */
export function storable(words: string): string {
  return words
    .slice(0, DETAIL_MAX)
    .replace(/\p{Cc}/gu, '\ufffd')
    .toWellFormed();
}

/** Pure. The token takes an authorization in blocks before `validBefore` only (EIP-3009). Epoch seconds. */
export function hasExpired(terms: AuthorizationTerms, chainTime: bigint): boolean {
  return chainTime >= BigInt(terms.validBefore);
}
