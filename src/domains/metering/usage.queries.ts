import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import type { UsageDay } from '../../generated/prisma/client.js';

export interface UsageFilter {
  readonly tenant?: string;
  readonly route?: string;
  readonly payer?: string;
  /** First and last UTC day, both included: `2026-01-31`. */
  readonly from?: string;
  readonly to?: string;
}

/** Units that a payer used on some routes from a UTC day on, as far as they are counted: a moment late. */
export async function unitsUsed(
  pool: Pool,
  of: { readonly tenant: string; readonly payer: string; readonly routes: readonly string[]; readonly from: Date },
): Promise<bigint> {
  const { rows } = await pool.query<{ units: string }>(
    `select coalesce(sum(units), 0)::text as units from usage_days
     where tenant = $1 and payer = $2 and route = any($3) and day >= $4`,
    [of.tenant, of.payer, of.routes, of.from.toISOString().slice(0, 10)],
  );
  return BigInt(rows[0]!.units);
}

/** What names one row: tenant, route, payer, asset and day. */
export type UsageKey = readonly [tenant: string, route: string, payer: string, asset: string, day: string];

/** Newest day first, from after a row; one row more than `limit` if there is another page. */
export function listUsage(prisma: Prisma, filter: UsageFilter, after: UsageKey | undefined, limit: number) {
  const { from, to, ...where } = filter;
  const day = { ...(from ? { gte: new Date(from) } : {}), ...(to ? { lte: new Date(to) } : {}) };
  return prisma.usageDay.findMany({
    where: { ...where, day },
    orderBy: [{ day: 'desc' }, { tenant: 'asc' }, { route: 'asc' }, { payer: 'asc' }, { asset: 'asc' }],
    take: limit + 1,
    ...(after ? { skip: 1, cursor: { tenant_route_payer_asset_day: prismaKey(after) } } : {}),
  });
}

function prismaKey([tenant, route, payer, asset, day]: UsageKey) {
  return { tenant, route, payer, asset, day: new Date(day) };
}

export function usageKey(row: UsageDay): UsageKey {
  return [row.tenant, row.route, row.payer, row.asset, dayOf(row)];
}

export interface UsageView {
  readonly tenant: string;
  readonly route: string;
  readonly payer: string;
  readonly asset: string;
  readonly day: string;
  readonly requests: string;
  readonly units: string;
  /** Atomic units. */
  readonly amount: string;
}

export function usageView(row: UsageDay): UsageView {
  const { asset, payer, route, tenant } = row;
  const [requests, units] = [row.requests.toString(), row.units.toFixed()];
  return { tenant, route, payer, asset, day: dayOf(row), requests, units, amount: row.amount.toFixed() };
}

function dayOf(row: UsageDay): string {
  return row.day.toISOString().slice(0, 10);
}
