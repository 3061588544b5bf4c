import type { AtomicAmount } from '../../base/shared/money.js';
import type { Account, Book } from './chart.js';

/**
 * - `posted`: final from the start.
 * - `pending`: a hold; exactly one later transfer of the same accounts and amount resolves it, by
 * - `post`, which makes it final, or by
 * - `void`, which undoes it.
 */
export const phases = ['posted', 'pending', 'post', 'void'] as const;
export type Phase = (typeof phases)[number];

/** Why the value moved. */
export const codes = [
  'charge',
  'collection',
  'payout',
  'reversal',
  'deposit',
  'recognition',
  'loss',
  'refund',
  'network_fee',
  'network_fee_reversal',
] as const;
export type Code = (typeof codes)[number];

/** One amount from one account to another: a ledger of such lines balances by construction. */
export interface Transfer {
  /** Position of its event × 16 + its line, so that an event posts once. */
  readonly id: bigint;
  readonly book: Book;
  readonly debit: Account;
  readonly credit: Account;
  readonly amount: AtomicAmount;
  readonly phase: Phase;
  /** Id of the pending transfer that a `post` or `void` resolves. */
  readonly resolves?: bigint;
  readonly code: Code;
  readonly occurredAt: Date;
}

/** Most lines of one event. */
const LINES_MAX = 16;

/** @param line 0..15 */
export function transferId(position: bigint, line: number): bigint {
  if (line >= LINES_MAX) throw new RangeError(`an event posts at most ${LINES_MAX} lines`);
  return position * BigInt(LINES_MAX) + BigInt(line);
}

/** Position of the event that posted it. */
export function positionOfTransfer(id: bigint): bigint {
  return id / BigInt(LINES_MAX);
}

/** Largest id that a transfer of this or an earlier position can have. */
export function lastTransferId(position: bigint): bigint {
  return transferId(position, LINES_MAX - 1);
}
