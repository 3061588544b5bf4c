import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Meter as MeterRow } from '../../generated/prisma/client.js';
import type { MeterRules } from './meter.schemas.js';

/** What names one row. */
export type MeterKey = readonly [tenant: string, id: string];

export interface MeterView {
  readonly tenant: string;
  readonly id: string;
  readonly rules: MeterRules;
  /** It counts no further events. */
  readonly withdrawn?: true;
}

/** By tenant and id, from after a row; one row more than `limit` if there is another page. */
export function listMeters(
  prisma: Prisma,
  filter: { readonly tenant?: string },
  after: MeterKey | undefined,
  limit: number,
): Promise<MeterRow[]> {
  const [tenant, id] = after ?? [];
  const later = after ? { OR: [{ tenant: { gt: tenant } }, { tenant, id: { gt: id } }] } : {};
  return prisma.meter.findMany({
    where: { AND: [filter, later] },
    orderBy: [{ tenant: 'asc' }, { id: 'asc' }],
    take: limit + 1,
  });
}

export function findMeter(prisma: Prisma, tenant: string, id: string): Promise<MeterRow | null> {
  return prisma.meter.findUnique({ where: { tenant_id: { tenant, id } } });
}

export function meterKey({ id, tenant }: MeterRow): MeterKey {
  return [tenant, id];
}

export function meterView({ id, rules, tenant, withdrawn }: MeterRow): MeterView {
  return { tenant, id, rules: rules as unknown as MeterRules, ...(withdrawn && { withdrawn }) };
}

/** What a tenant counts now: its meters by the type of event. */
export type MetersByType = ReadonlyMap<string, readonly NamedMeter[]>;
export type NamedMeter = MeterRules & { readonly id: string };

export async function metersOf(pool: Pool, tenant: string): Promise<MetersByType> {
  const { rows } = await pool.query<{ id: string; rules: MeterRules }>({
    name: 'meters-of',
    text: 'select id, rules from meters where tenant = $1 and not withdrawn order by id',
    values: [tenant],
  });
  const byType = new Map<string, NamedMeter[]>();
  for (const { id, rules } of rows) {
    const meter = { id, ...rules };
    const list = byType.get(rules.eventType);
    if (list) list.push(meter);
    else byType.set(rules.eventType, [meter]);
  }
  return byType;
}
