import type { Prisma } from '../../base/platform/prisma.js';
import type { CreditNote as Row } from '../../generated/prisma/client.js';

export interface CreditNoteRowView {
  readonly id: string;
  readonly tenant: string;
  readonly customer: string;
  readonly invoice: string;
  /** Its place among the credit notes of the tenant. */
  readonly number: number;
  readonly currency: string;
  readonly issued_at: string;
  /** Minor units. */
  readonly total: string;
  /** As much of it as was paid already. */
  readonly returned: string;
}

export interface CreditNoteFilter {
  readonly tenant?: string;
  readonly customer?: string;
  readonly invoice?: string;
}

export function findCreditNote(prisma: Prisma, id: string): Promise<Row | null> {
  return prisma.creditNote.findUnique({ where: { id } });
}

/** Newest first, from before a position; one row more than `limit` if there is another page. */
export function listCreditNotes(
  prisma: Prisma,
  filter: CreditNoteFilter,
  before: bigint | undefined,
  limit: number,
): Promise<Row[]> {
  const earlier = before === undefined ? {} : { position: { lt: before } };
  return prisma.creditNote.findMany({
    where: { ...filter, ...earlier },
    orderBy: { position: 'desc' },
    take: limit + 1,
  });
}

export function creditNoteKey({ position }: Row): readonly string[] {
  return [position.toString()];
}

export function creditNoteRowView(row: Row): CreditNoteRowView {
  const { currency, customer, id, invoice, number, tenant } = row;
  return {
    ...{ id, tenant, customer, invoice, number, currency, issued_at: row.issuedAt.toISOString() },
    ...{ total: row.total.toFixed(), returned: row.returned.toFixed() },
  };
}
