import type { Prisma } from '../../base/platform/prisma.js';
import type { CustomerDetails as CustomerRow } from '../../generated/prisma/client.js';

/** What names one row. */
export type CustomerKey = readonly [tenant: string, payer: string];

/** By tenant and payer, from after a row, which may be gone; one row more than `limit` if there is another page. */
export function listCustomers(
  prisma: Prisma,
  filter: { readonly tenant?: string },
  after: CustomerKey | undefined,
  limit: number,
): Promise<CustomerRow[]> {
  const [tenant, payer] = after ?? [];
  const later = after ? { OR: [{ tenant: { gt: tenant } }, { tenant, payer: { gt: payer } }] } : {};
  return prisma.customerDetails.findMany({
    where: { AND: [filter, later] },
    orderBy: [{ tenant: 'asc' }, { payer: 'asc' }],
    take: limit + 1,
  });
}

export function findCustomer(prisma: Prisma, tenant: string, payer: string): Promise<CustomerRow | null> {
  return prisma.customerDetails.findUnique({ where: { tenant_payer: { tenant, payer } } });
}

export async function isTenant(prisma: Prisma, id: string): Promise<boolean> {
  return (await prisma.tenant.findUnique({ where: { id }, select: { id: true } })) !== null;
}

export function customerKey({ payer, tenant }: CustomerRow): CustomerKey {
  return [tenant, payer];
}

export interface CustomerView {
  readonly tenant: string;
  readonly payer: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly note: string | null;
  readonly updated_at: string;
}

export function customerView({ email, name, note, payer, tenant, updatedAt }: CustomerRow): CustomerView {
  return { tenant, payer, name, email, note, updated_at: updatedAt.toISOString() };
}
