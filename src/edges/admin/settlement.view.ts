import type { Hex } from '../../base/shared/hex.js';
import {
  attemptThatCounts,
  confirmationsOf,
  type SettlementStatus,
  statusOf,
} from '../../domains/settlement/settlement-status.js';
import type { TransactionStatus } from '../../domains/settlement/settlement-transactions.js';
import type { SettlementRow, ShareOfFee } from '../../domains/settlement/settlements.queries.js';

export interface SettlementView {
  readonly network: string;
  readonly settler: string;
  readonly nonce: number;
  readonly status: SettlementStatus;
  /** The attempt in a block; the newest while there is none. */
  readonly transaction: string;
  readonly created_at: string;
  readonly payments_count: number;
  /** Ids of the payments in that transaction, in their order. */
  readonly payments: readonly string[];
  /** Ids of the refunds that it sends from the refund wallet. */
  readonly refunds: readonly string[];
  readonly block_number: string | null;
  readonly block_hash: string | null;
  /** `null` in no block, and while the chain cannot be asked. */
  readonly confirmations: number | null;
  readonly gas_used: string | null;
  /** Wei; `null` until the log has it. */
  readonly fee: string | null;
  readonly shares: readonly FeeShareView[];
  /** The oldest first. */
  readonly attempts: readonly AttemptView[];
}

interface FeeShareView {
  readonly tenant: string;
  /** Of this tenant in the transaction. */
  readonly payments_count: number;
  readonly refunds_count: number;
  /** Wei. */
  readonly fee: string;
}

interface AttemptView {
  readonly attempt: number;
  readonly transaction: string;
  readonly status: TransactionStatus;
  readonly created_at: string;
  readonly payments_count: number;
}

/** @param fees by transaction @param head number of the chain's newest block */
export function settlementView(
  { attempts, network, nonce, settler }: SettlementRow,
  fees: ReadonlyMap<Hex, readonly ShareOfFee[]>,
  head: bigint | undefined,
): SettlementView {
  const { blockHash, blockNumber, hash, payments, refunds } = attemptThatCounts(attempts);
  // A fee of another block is on its way to be reversed.
  const shares = (fees.get(hash) ?? []).filter((share) => share.blockHash === blockHash);
  return {
    network,
    settler,
    nonce,
    status: statusOf(attempts),
    transaction: hash,
    created_at: timeOf(attempts[0]!.createdAt),
    payments_count: payments.length,
    payments,
    refunds,
    block_number: blockNumber,
    block_hash: blockHash,
    confirmations: confirmationsOf(blockNumber, head),
    gas_used: shares[0]?.gasUsed ?? null,
    fee: shares[0]?.fee ?? null,
    shares: shares.map((one) => ({
      tenant: one.tenant,
      payments_count: one.payments,
      refunds_count: one.refunds,
      fee: one.share,
    })),
    attempts: attempts.map((one) => ({
      attempt: one.attempt,
      transaction: one.hash,
      status: one.status,
      created_at: timeOf(one.createdAt),
      payments_count: one.payments.length,
    })),
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
