import { type AccountKind, isDebitNormal } from './chart.js';

/** What transfers moved on one account, in atomic units. */
export interface Sums {
  readonly debitsPosted: bigint;
  readonly creditsPosted: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
}

/** With the sign of the account's class: what the tenant has, owes, earned or spent is above zero. */
export interface Balance {
  /** Final. */
  readonly posted: bigint;
  /** What posting every open hold would add to it. */
  readonly pending: bigint;
  /** Posted, less the open holds that take from it. */
  readonly available: bigint;
}

export function balanceOf(kind: AccountKind, sums: Sums): Balance {
  const [raises, lowers] = isDebitNormal(kind) ? (['debits', 'credits'] as const) : (['credits', 'debits'] as const);
  const posted = sums[`${raises}Posted`] - sums[`${lowers}Posted`];
  return {
    posted,
    pending: sums[`${raises}Pending`] - sums[`${lowers}Pending`],
    available: posted - sums[`${lowers}Pending`],
  };
}

/** Decimal strings, as the wire has them. */
export interface BalanceView {
  readonly debits_posted: string;
  readonly credits_posted: string;
  readonly debits_pending: string;
  readonly credits_pending: string;
  readonly posted: string;
  readonly pending: string;
  readonly available: string;
}

export function balanceView(kind: AccountKind, sums: Sums): BalanceView {
  const { available, pending, posted } = balanceOf(kind, sums);
  return {
    ...sumsView(sums),
    posted: posted.toString(),
    pending: pending.toString(),
    available: available.toString(),
  };
}

export function sumsView(sums: Sums): Pick<BalanceView, `${'debits' | 'credits'}_${'posted' | 'pending'}`> {
  return {
    debits_posted: sums.debitsPosted.toString(),
    credits_posted: sums.creditsPosted.toString(),
    debits_pending: sums.debitsPending.toString(),
    credits_pending: sums.creditsPending.toString(),
  };
}
