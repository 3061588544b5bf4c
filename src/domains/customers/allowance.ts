import { type Period as CalendarPeriod, calendarPeriod } from '../../base/shared/calendar-window.js';
import type { Address } from '../../base/shared/hex.js';

/** What a customer who proves who it is may use without paying, in each calendar period (UTC). */
export interface Allowance {
  /** Of a route's units, or of requests whatever their units. */
  readonly counts: 'requests' | 'units';
  /** So many a period; decimal. */
  readonly limit: string;
  readonly period: 'day' | 'month';
}

/** Without a payer: each proven customer that has no allowance of its own. */
export interface AllowanceSet {
  readonly type: 'AllowanceSet';
  readonly schema: 1;
  readonly data: Allowance & { readonly payer?: Address };
}

export interface AllowanceRemoved {
  readonly type: 'AllowanceRemoved';
  readonly schema: 1;
  readonly data: { readonly payer?: Address };
}

export type AllowanceEvent = AllowanceSet | AllowanceRemoved;

/** Stands for each customer without an allowance of its own. */
export const EACH = '*';

export function allowanceStream(tenant: string, payer: Address | undefined): string {
  return `allowance/${tenant}/${payer ?? EACH}`;
}

/** Folds one event; the last one says all. */
export function evolveAllowance(_state: Allowance | undefined, event: AllowanceEvent): Allowance | undefined {
  if (event.type === 'AllowanceRemoved') return undefined;
  const { counts, limit, period } = event.data;
  return { counts, limit, period };
}

/** The period that holds an instant. */
export interface Period extends CalendarPeriod {
  /** `2026-11` or `2026-11-25`. */
  readonly name: string;
}

/** Pure. @param at epoch milliseconds */
export function periodOf({ period }: Pick<Allowance, 'period'>, at: number): Period {
  const { end, start } = calendarPeriod(period, 'UTC', at);
  return { name: new Date(start).toISOString().slice(0, period === 'day' ? 10 : 7), start, end };
}

/** Where a customer's use of its allowance in one period is counted: a row of `hold_totals`. */
export function allowanceKey(tenant: string, payer: Address, { counts }: Allowance, { name }: Period): string {
  return `free/${tenant}/${payer}/${counts}/${name}`;
}
