import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Network } from '../../base/shared/hex.js';
import type { PaymentId } from './payment.js';
import type { RefundId, RefundSource } from './refund.js';

/** Refunds of one payment, as its row shows them. */
export interface RefundSummary {
  readonly id: string;
  readonly state: string;
  readonly from: string;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: string | null;
}

export async function refundSummaries(prisma: Prisma, paymentId: string): Promise<readonly RefundSummary[]> {
  const rows = await prisma.refund.findMany({ where: { paymentId }, orderBy: { position: 'asc' } });
  return rows.map(({ amount, id, source, state, transaction }) => ({
    ...{ id, state, from: source, amount: amount.toFixed(), transaction },
  }));
}

export interface RefundRow {
  readonly id: RefundId;
  readonly payment: PaymentId;
}

/** Asked for and without an outcome, the oldest first; from the read model, so a little behind. */
export async function openRefunds(
  pool: Pool,
  network: Network,
  source: RefundSource,
  limit: number,
): Promise<readonly RefundRow[]> {
  const { rows } = await pool.query<RefundRow>(
    `select r.id, r.payment_id as payment from refunds r join payments p on p.id = r.payment_id
     where r.state in ('requested', 'sent') and r.source = $2 and p.network = $1 order by r.position limit $3`,
    [network, source, limit],
  );
  return rows;
}

export interface MinedRefund {
  readonly payment: PaymentId;
  readonly transaction: string;
}

/** In blocks above this one, the newest first: those that a reorganization may move. */
export async function refundsAbove(
  pool: Pool,
  network: Network,
  block: bigint,
  limit: number,
): Promise<readonly MinedRefund[]> {
  const { rows } = await pool.query<MinedRefund>(
    `select r.payment_id as payment, r.transaction from refunds r join payments p on p.id = r.payment_id
     where r.state = 'refunded' and r.block_number > $2 and p.network = $1 order by r.block_number desc limit $3`,
    [network, block.toString(), limit],
  );
  return rows;
}
