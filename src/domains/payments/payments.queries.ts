import type { Prisma } from '../../base/platform/prisma.js';
import type { Payment as PaymentRow } from '../../generated/prisma/client.js';

export interface PaymentFilter {
  readonly tenant?: string;
  readonly route?: string;
  readonly payer?: string;
  readonly state?: string;
  readonly network?: string;
  /** Authorized before then. */
  readonly until?: Date;
}

/** Newest first, from before a log position; one row more than `limit` if there is another page. */
export function listPayments(
  prisma: Prisma,
  { until, ...equal }: PaymentFilter,
  before: bigint | undefined,
  limit: number,
) {
  return prisma.payment.findMany({
    where: {
      ...equal,
      ...(until === undefined ? {} : { authorizedAt: { lt: until } }),
      ...(before === undefined ? {} : { position: { lt: before } }),
    },
    orderBy: { position: 'desc' },
    take: limit + 1,
  });
}

export function findPayment(prisma: Prisma, id: string): Promise<PaymentRow | null> {
  return prisma.payment.findUnique({ where: { id } });
}

export interface PaymentView {
  readonly id: string;
  readonly tenant: string;
  readonly route: string;
  readonly method: string;
  readonly state: string;
  readonly mode: string;
  readonly payer: string;
  readonly payee: string;
  readonly network: string;
  readonly asset: string;
  /** Atomic units. */
  readonly amount: string;
  /** Atomic units sent back to the payer so far. */
  readonly refunded: string;
  readonly http_status: number | null;
  readonly reason: string | null;
  readonly transaction: string | null;
  readonly authorized_at: string;
  readonly delivered_at: string | null;
  readonly settled_at: string | null;
}

export function paymentView(row: PaymentRow): PaymentView {
  return {
    id: row.id,
    tenant: row.tenant,
    route: row.route,
    method: row.method,
    state: row.state,
    mode: row.mode,
    payer: row.payer,
    payee: row.payee,
    network: row.network,
    asset: row.asset,
    amount: row.amount.toFixed(),
    refunded: row.refunded.toFixed(),
    http_status: row.httpStatus,
    reason: row.reason,
    transaction: row.transaction,
    authorized_at: row.authorizedAt.toISOString(),
    delivered_at: row.deliveredAt?.toISOString() ?? null,
    settled_at: row.settledAt?.toISOString() ?? null,
  };
}
