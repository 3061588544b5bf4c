import type Stripe from 'stripe';
import { withoutSecrets } from '../facilitators/without-secrets.js';
import type { ChargeWord, RefundWord } from './card-processor.js';
import { declineOf } from './stripe-words.js';

const WHY_MAX = 200;

type Named = Pick<Stripe.errors.StripeError, 'code' | 'decline_code' | 'advice_code' | 'payment_intent'>;

/** What a request of the package rejects with. Without a status nobody answered. */
export interface StripeFailure extends Partial<Named> {
  readonly message: string;
  readonly rawType?: string;
  readonly statusCode?: number;
}

/** Pure. What an error says of a charge: only the bank's no, and a request that the processor cannot read, are declines. */
export function chargeWordOf(error: StripeFailure, secretKey: string): ChargeWord {
  if (error.statusCode === 402) return declineOf(error, error.payment_intent?.id);
  if (isRefusal(error)) return { kind: 'declined', code: error.code ?? 'invalid_request', final: true };
  return unknown(error, secretKey);
}

/** Pure. */
export function refundWordOf(error: StripeFailure, secretKey: string): RefundWord {
  if (isRefusal(error)) return { kind: 'failed', code: error.code ?? 'invalid_request' };
  return unknown(error, secretKey);
}

/**
 * Pure. Did the processor read the request and refuse it, with nothing done? Another use of an idempotency key (400) is no refusal: what
 * the key was used for before may have been done.
 */
export function isRefusal({ code, rawType, statusCode }: StripeFailure): boolean {
  return statusCode === 400 && rawType === 'invalid_request_error' && code !== 'rate_limit' && code !== 'lock_timeout';
}

/** Pure. */
export function unknown({ message, statusCode }: StripeFailure, secretKey: string) {
  const said = `${statusCode ?? 'no answer'}: ${message}`;
  const why = withoutSecrets(said.slice(0, 2 * WHY_MAX), [secretKey])
    .slice(0, WHY_MAX)
    .replace(/\p{Cc}/gu, '\ufffd');
  return { kind: 'unknown', why: why.toWellFormed() } as const;
}

/** Pure. Is it the address of something that the account does not have? */
export function isAbsent(error: unknown): boolean {
  const { code, statusCode } = error as StripeFailure;
  return statusCode === 404 && code === 'resource_missing';
}
