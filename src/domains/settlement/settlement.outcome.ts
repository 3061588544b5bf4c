import type { AuthorizationOutcome } from '../../base/chain/chain.js';
import { assertNever } from '../../base/shared/assert-never.js';
import type {
  AuthorizationTerms,
  PaymentSettled,
  PaymentSettlementFailed,
  SettlementFailure,
} from '../payments/payment.js';

/** What the chain's answer means for one payment. `open`: the authorization can still be used. */
export type Verdict =
  | { readonly kind: 'settled'; readonly data: Omit<PaymentSettled['data'], 'by'> }
  | { readonly kind: 'failed'; readonly data: PaymentSettlementFailed['data'] }
  | { readonly kind: 'open' };

/** Pure. A used nonce is a payment only if the payee got the exact amount (EIP-3009 nonces are the payer's own). */
export function verdictOf(terms: AuthorizationTerms, outcome: AuthorizationOutcome): Verdict {
  switch (outcome.kind) {
    case 'unused':
      return { kind: 'open' };
    case 'cancelled':
      return { kind: 'failed', data: { reason: 'authorization_cancelled', detail: outcome.transaction } };
    case 'transferred': {
      const { blockHash, logIndex, payee, transaction, value } = outcome;
      if (payee !== terms.payee || value !== BigInt(terms.amount)) {
        return { kind: 'failed', data: { reason: 'nonce_used_elsewhere', detail: transaction } };
      }
      const blockNumber = outcome.blockNumber.toString();
      return { kind: 'settled', data: { transaction, blockNumber, blockHash, logIndex } };
    }
    default:
      return assertNever(outcome);
  }
}

const FAILURES: readonly string[] = [
  'insufficient_funds',
  'authorization_cancelled',
  'authorization_expired',
  'nonce_used_elsewhere',
  'rejected_by_token',
] satisfies SettlementFailure[];

/** Pure. The token's refusal as a closed reason; what has no name of its own is kept as detail. */
export function failureOf(refusal: string | undefined): PaymentSettlementFailed['data'] {
  if (refusal === undefined) return { reason: 'rejected_by_token' };
  if (FAILURES.includes(refusal)) return { reason: refusal as SettlementFailure };
  return { reason: 'rejected_by_token', detail: refusal };
}

/** Pure. The token takes an authorization in blocks before `validBefore` only (EIP-3009). Epoch seconds. */
export function hasExpired(terms: AuthorizationTerms, chainTime: bigint): boolean {
  return chainTime >= BigInt(terms.validBefore);
}
