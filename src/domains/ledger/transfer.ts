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
  'refund_reversal',
  'refund_owed',
  'network_fee',
  'network_fee_reversal',
  'opening',
  'receipt',
  'receipt_reversal',
  'explanation',
  'explanation_reversal',
  'withdrawal',
  'withdrawal_reversal',
  'billing',
  'usage',
  'tax',
  'rounding',
  'application',
  'application_reversal',
  'credit',
  'cancellation',
  'card_payment',
  'card_refund',
  'card_refund_reversal',
  'processor_fee',
  'processor_fee_reversal',
  'dispute',
  'dispute_reversal',
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

/** An id is a position, shifted by this many bits, and a line. */
const LINE_BITS = 4;
/** Most lines of one event. */
const LINES_MAX = 1 << LINE_BITS;

/** A row of `ledger_activity` sums up a block of 2^16 positions, see the trigger in migration `0004_ledger`. */
const BLOCK_BITS = 16;
/** An id is a block, shifted by this many bits, and what is within the block. */
export const BLOCK_SHIFT = BLOCK_BITS + LINE_BITS;

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

/** Every id that a transfer of this event can have. */
export function idsOfPosition(position: bigint): bigint[] {
  return Array.from({ length: LINES_MAX }, (_, line) => transferId(position, line));
}

/** The block of positions that an id lies in. */
export function blockOf(id: bigint): bigint {
  return id >> BigInt(BLOCK_SHIFT);
}
