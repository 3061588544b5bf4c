import type { Prisma } from '../../base/platform/prisma.js';
import type { CustomerTariff as TariffRow } from '../../generated/prisma/client.js';

export interface CustomerTariffView {
  readonly route: string;
  readonly tariff: string;
}

export function findCustomerTariff(
  prisma: Prisma,
  tenant: string,
  payer: string,
  route: string,
): Promise<TariffRow | null> {
  return prisma.customerTariff.findUnique({ where: { tenant_payer_route: { tenant, payer, route } } });
}

/** By route; a tenant has not so many routes that pages are needed. */
export function customerTariffsOf(prisma: Prisma, tenant: string, payer: string): Promise<TariffRow[]> {
  return prisma.customerTariff.findMany({ where: { tenant, payer }, orderBy: { route: 'asc' } });
}

export async function isRoute(prisma: Prisma, tenant: string, id: string): Promise<boolean> {
  return (await prisma.route.findUnique({ where: { tenant_id: { tenant, id } }, select: { id: true } })) !== null;
}

export async function isTariff(prisma: Prisma, tenant: string, id: string): Promise<boolean> {
  return (await prisma.tariff.findFirst({ where: { tenant, id }, select: { id: true } })) !== null;
}

export function customerTariffView({ route, tariff }: TariffRow): CustomerTariffView {
  return { route, tariff };
}
