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
  /** Of its request in the log. */
  readonly position: string;
}

/** Asked for and without an outcome, the oldest behind `after` first; from the read model, so a little behind. */
export async function openRefunds(
  pool: Pool,
  network: Network,
  source: RefundSource,
  limit: number,
  after = '0',
): Promise<readonly RefundRow[]> {
  const { rows } = await pool.query<RefundRow>(
    `select r.id, r.payment_id as payment, r.position::text from refunds r join payments p on p.id = r.payment_id
     where r.state in ('requested', 'sent') and r.source = $2 and p.network = $1 and r.position > $4
     order by r.position limit $3`,
    [network, source, limit, after],
  );
  return rows;
}

export interface MinedRefund {
  readonly id: string;
  readonly payment: PaymentId;
  readonly transaction: string;
  readonly block: string;
}

/**
 * In blocks above this one, the newest first: those that a reorganization may move. As a page behind the last of the one before,
 * so that rows that change meanwhile hide none.
 */
export async function refundsAbove(
  pool: Pool,
  network: Network,
  block: bigint,
  limit: number,
  last?: Pick<MinedRefund, 'block' | 'id'>,
): Promise<readonly MinedRefund[]> {
  const { rows } = await pool.query<MinedRefund>(
    `select r.id, r.payment_id as payment, r.transaction, r.block_number::text as block
     from refunds r join payments p on p.id = r.payment_id
     where r.state = 'refunded' and r.block_number > $2 and p.network = $1
       and ($4::bigint is null or (r.block_number, r.id) < ($4::bigint, $5::text))
     order by r.block_number desc, r.id desc limit $3`,
    [network, block.toString(), limit, last?.block ?? null, last?.id ?? null],
  );
  return rows;
}
