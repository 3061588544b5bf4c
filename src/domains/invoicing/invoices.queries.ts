import type { Prisma } from '../../base/platform/prisma.js';
import type { Invoice as Row } from '../../generated/prisma/client.js';

export interface InvoiceRowView {
  readonly id: string;
  readonly tenant: string;
  readonly customer: string;
  readonly sequence: number;
  /** Its place among the invoices of the tenant that are final. */
  readonly number: number | null;
  readonly state: string;
  readonly overdue: boolean;
  readonly reason: string;
  readonly currency: string;
  readonly period: { readonly from: string; readonly to: string };
  readonly grace_until: string;
  readonly issued_at: string | null;
  readonly due_at: string | null;
  /** Minor units. */
  readonly total: string | null;
  readonly outstanding: string;
}

export interface InvoiceFilter {
  readonly tenant?: string;
  readonly customer?: string;
  readonly state?: string;
}

export function findInvoice(prisma: Prisma, id: string): Promise<Row | null> {
  return prisma.invoice.findUnique({ where: { id } });
}

/** Newest first, from before a position; one row more than `limit` if there is another page. */
export function listInvoices(
  prisma: Prisma,
  filter: InvoiceFilter,
  before: bigint | undefined,
  limit: number,
): Promise<Row[]> {
  const earlier = before === undefined ? {} : { position: { lt: before } };
  return prisma.invoice.findMany({ where: { ...filter, ...earlier }, orderBy: { position: 'desc' }, take: limit + 1 });
}

export function invoiceKey({ position }: Row): readonly string[] {
  return [position.toString()];
}

export function invoiceRowView(row: Row): InvoiceRowView {
  const { currency, customer, id, number, overdue, reason, sequence, state, tenant } = row;
  return {
    ...{ id, tenant, customer, sequence, number, state, overdue, reason, currency },
    period: { from: row.periodFrom.toISOString(), to: row.periodTo.toISOString() },
    grace_until: row.graceUntil.toISOString(),
    ...{ issued_at: row.issuedAt?.toISOString() ?? null, due_at: row.dueAt?.toISOString() ?? null },
    ...{ total: row.total?.toFixed() ?? null, outstanding: row.outstanding.toFixed() },
  };
}
