import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Route as RouteRow, Tariff as TariffRow, Tenant as TenantRow } from '../../generated/prisma/client.js';
import { secretFingerprint } from './catalogue.decide.js';
import type { Route, Tenant } from './catalogue.schemas.js';

/** What names a route or a tariff. */
export type OwnedKey = readonly [tenant: string, id: string];

/** Lists are by name, from after a row, which may be gone; one row more than `limit` if there is another page. */
export function listTenants(
  prisma: Prisma,
  filter: { readonly host?: string },
  after: string | undefined,
  limit: number,
): Promise<TenantRow[]> {
  const where = { ...filter, ...(after === undefined ? {} : { id: { gt: after } }) };
  return prisma.tenant.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 });
}

export function findTenant(prisma: Prisma, id: string): Promise<TenantRow | null> {
  return prisma.tenant.findUnique({ where: { id } });
}

export function listRoutes(
  prisma: Prisma,
  { tariff, tenant }: { readonly tenant?: string; readonly tariff?: string },
  after: OwnedKey | undefined,
  limit: number,
): Promise<RouteRow[]> {
  const named = { tenant, ...(tariff === undefined ? {} : { config: { path: ['tariff'], equals: tariff } }) };
  return prisma.route.findMany({
    where: { AND: [named, laterThan(after)] },
    orderBy: [{ tenant: 'asc' }, { id: 'asc' }],
    take: limit + 1,
  });
}

export function findRoute(prisma: Prisma, tenant: string, id: string): Promise<RouteRow | null> {
  return prisma.route.findUnique({ where: { tenant_id: { tenant, id } } });
}

/** Those of some ids under which a tenant has a route. */
export async function routesOf(prisma: Prisma, tenant: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await prisma.route.findMany({ where: { tenant, id: { in: [...ids] } }, select: { id: true } });
  return new Set(rows.map(({ id }) => id));
}

/** The newest version of each tariff. */
export async function listTariffs(
  pool: Pool,
  filter: { readonly tenant?: string },
  after: OwnedKey | undefined,
  limit: number,
): Promise<TariffRow[]> {
  const { rows } = await pool.query<TariffRow>(
    `select distinct on (tenant, id) tenant, id, version, effective_from as "effectiveFrom", rules from tariffs
     where ($1::text is null or tenant = $1) and (tenant, id) > ($2, $3)
     order by tenant, id, version desc limit $4`,
    [filter.tenant ?? null, ...(after ?? ['', '']), limit + 1],
  );
  return rows;
}

/** Newest first; empty if there is no such tariff. */
export function tariffVersions(prisma: Prisma, tenant: string, id: string): Promise<TariffRow[]> {
  return prisma.tariff.findMany({ where: { tenant, id }, orderBy: { version: 'desc' } });
}

export function findTariffVersion(
  prisma: Prisma,
  tenant: string,
  id: string,
  version: number,
): Promise<TariffRow | null> {
  return prisma.tariff.findUnique({ where: { tenant_id_version: { tenant, id, version } } });
}

function laterThan(after: OwnedKey | undefined) {
  const [tenant, id] = after ?? [];
  return after ? { OR: [{ tenant: { gt: tenant } }, { tenant, id: { gt: id } }] } : {};
}

/** Tells whether the upstream's secret changed, never what it is. */
export type TenantView = Omit<Tenant, 'upstreamSecret'> & { readonly upstreamSecretFingerprint: string };

export function tenantView({ revision: _, upstreamSecret, ...row }: TenantRow): TenantView {
  const open = row as Omit<Tenant, 'upstreamSecret'>;
  return { ...open, upstreamSecretFingerprint: secretFingerprint(upstreamSecret) };
}

export function routeView({ config, id, tenant }: RouteRow): Route {
  return { tenant, id, ...(config as object) } as Route;
}

export interface TariffVersionView {
  readonly tenant: string;
  readonly id: string;
  readonly version: number;
  /** RFC 3339; in force until a version that begins later does, of two that begin together the later version. */
  readonly effectiveFrom: string;
  readonly rules: unknown;
}

export function tariffVersionView({ effectiveFrom, id, rules, tenant, version }: TariffRow): TariffVersionView {
  return { tenant, id, version, effectiveFrom: effectiveFrom.toISOString(), rules };
}

export interface TariffView {
  readonly tenant: string;
  readonly id: string;
  /** Newest first. */
  readonly versions: readonly Omit<TariffVersionView, 'tenant' | 'id'>[];
}

/** @param rows of one tariff, at least one */
export function tariffView(rows: readonly TariffRow[]): TariffView {
  const [{ id, tenant }] = rows as readonly [TariffRow];
  const versions = rows.map((row) => {
    const { effectiveFrom, rules, version } = tariffVersionView(row);
    return { version, effectiveFrom, rules };
  });
  return { tenant, id, versions };
}
