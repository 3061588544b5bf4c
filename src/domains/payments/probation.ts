import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import type { PaymentAuthorized } from './payment.js';

/** Payments that a payer has to settle in mode `after`, once an `async` one has failed, before it is answered at once again. */
export const PROBATION_PAYMENTS = 10n;

type Authorized = Pick<PaymentAuthorized['data'], 'tenant' | 'terms'>;

/** Somebody ended it. Nothing is folded from it: the count is beside the log. */
export interface ProbationLifted {
  readonly type: 'ProbationLifted';
  readonly schema: 1;
  /** `left`: payments that were still to settle. */
  readonly data: { readonly payer: Address; readonly left: string };
}

/** Where the payments that a payer still has to settle at a tenant are counted: a row of `hold_totals`. */
export function probationKey({ tenant, terms }: Authorized): string {
  return probationKeyOf(tenant, terms.payer);
}

export function probationKeyOf(tenant: string, payer: Address): string {
  return `probation/${tenant}/${payer}`;
}

export function probationStream(tenant: string, payer: Address): string {
  return `probation/${tenant}/${payer}`;
}

/** Pure. @param left payments that are still to settle, above zero */
export function liftedBy(
  tenant: string,
  payer: Address,
  left: bigint,
): { readonly event: ProbationLifted; readonly hold: HoldRequest } {
  const event: ProbationLifted = { type: 'ProbationLifted', schema: 1, data: { payer, left: left.toString() } };
  return { event, hold: { key: probationKeyOf(tenant, payer), delta: -left } };
}

/** What `async` needs beside exposure. Takes nothing, and makes no row for payers that never failed. */
export function offProbation(authorized: Authorized): HoldRequest {
  return { key: probationKey(authorized), delta: 0n, limit: 0n };
}

/** An answer went out and is not paid. Payments that fail while the payer is on probation were admitted before it, and do not prolong it. */
export function beginProbation(authorized: Authorized): HoldRequest {
  return { key: probationKey(authorized), delta: PROBATION_PAYMENTS, limit: PROBATION_PAYMENTS };
}

/** A payment was settled before its answer: one less to go, if there are any. */
export function shortenProbation(authorized: Authorized): HoldRequest {
  return { key: probationKey(authorized), delta: -1n };
}

/** Such a settlement was taken back by the chain. */
export function lengthenProbation(authorized: Authorized): HoldRequest {
  return { key: probationKey(authorized), delta: 1n };
}
