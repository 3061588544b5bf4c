import type { HoldRequest } from '../../base/event-store/unit-of-work.js';

const PREFIX = 'credit/';

interface Account {
  readonly tenant: string;
  readonly customer: string;
}

/** Where what an account owes is counted, in atomic units: captured and held less what was paid in. Below zero: paid in advance. */
export function creditKey(tenant: string, customer: string): string {
  return `${PREFIX}${tenant}/${customer}`;
}

export function isCredit(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** Takes so much of an account's credit, or refuses its write: what is owed never passes the line. */
export function creditHold({ customer, tenant }: Account, amount: bigint, line: bigint): HoldRequest {
  return { key: creditKey(tenant, customer), delta: amount, limit: line, hard: true, signed: true };
}

/** Counts what was paid in (`amount` > 0), or was paid in and is gone again (< 0), whatever the line: both have happened. */
export function paidIn({ customer, tenant }: Account, amount: bigint): HoldRequest {
  return { key: creditKey(tenant, customer), delta: -amount, signed: true };
}
