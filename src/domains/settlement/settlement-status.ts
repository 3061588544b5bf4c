import type { Hex } from '../../base/shared/hex.js';
import type { PaymentId } from '../payments/payment.js';
import type { RefundId } from '../payments/refund.js';
import type { TransactionStatus } from './settlement-transactions.js';

/**
 * What became of all that was signed for one nonce.
 * - `submitted`: one of the attempts may be mined at any moment.
 * - `mined`: one is in a block, whatever became of its payments.
 * - `failed`: one is in a block, where it failed as a whole and paid for nothing but gas.
 * - `lost`: the nonce went to a transaction that is not in the book.
 */
export const settlementStatuses = ['submitted', 'mined', 'failed', 'lost'] as const;
export type SettlementStatus = (typeof settlementStatuses)[number];

/** One signed transaction of a nonce. */
export interface SignedAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly hash: Hex;
  readonly status: TransactionStatus;
  readonly payments: readonly PaymentId[];
  /** That it sends from the refund wallet. */
  readonly refunds: readonly RefundId[];
  /** Milliseconds. */
  readonly createdAt: number;
  /** Decimal; of the block that holds it. */
  readonly blockNumber: string | null;
  readonly blockHash: Hex | null;
}

/** Pure. */
export function statusOf(attempts: readonly Pick<SignedAttempt, 'blockHash' | 'status'>[]): SettlementStatus {
  if (attempts.some(({ status }) => status === 'submitted')) return 'submitted';
  if (attempts.some(({ status }) => status === 'mined')) return 'mined';
  return attempts.some(({ blockHash }) => blockHash !== null) ? 'failed' : 'lost';
}

/** Pure. The attempt in a block; the newest while there is none. @param attempts the oldest first, at least one */
export function attemptThatCounts<T extends Pick<SignedAttempt, 'blockHash'>>(attempts: readonly T[]): T {
  return attempts.find(({ blockHash }) => blockHash !== null) ?? attempts.at(-1)!;
}

/** Pure. Blocks from this one to the chain's newest, both counted; `null` if one of them is not known. */
export function confirmationsOf(blockNumber: string | null, head: bigint | undefined): number | null {
  if (blockNumber === null || head === undefined || head < BigInt(blockNumber)) return null;
  return Number(head - BigInt(blockNumber)) + 1;
}
