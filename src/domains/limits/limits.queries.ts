import type { Pool } from 'pg';
import type { Slots } from '../../base/event-store/rolling-sum.js';
import { sumSince } from '../../base/event-store/rolling-sum.js';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Limit as LimitRow } from '../../generated/prisma/client.js';
import type { LimitRules, Quota } from './limit.schemas.js';
import { EVERYBODY, placeOf, quotaPrefix, type Token } from './quota-key.js';

/** What names one row. */
export type LimitKey = readonly [tenant: string, id: string];

export interface LimitView {
  readonly tenant: string;
  readonly id: string;
  readonly rules: LimitRules;
}

/** By tenant and id, from after a row; one row more than `limit` if there is another page. */
export function listLimits(
  prisma: Prisma,
  filter: { readonly tenant?: string },
  after: LimitKey | undefined,
  limit: number,
): Promise<LimitRow[]> {
  const [tenant, id] = after ?? [];
  const later = after ? { OR: [{ tenant: { gt: tenant } }, { tenant, id: { gt: id } }] } : {};
  return prisma.limit.findMany({
    where: { AND: [filter, later] },
    orderBy: [{ tenant: 'asc' }, { id: 'asc' }],
    take: limit + 1,
  });
}

export function findLimit(prisma: Prisma, tenant: string, id: string): Promise<LimitRow | null> {
  return prisma.limit.findUnique({ where: { tenant_id: { tenant, id } } });
}

export function limitKey({ id, tenant }: LimitRow): LimitKey {
  return [tenant, id];
}

export function limitView({ id, rules, tenant }: LimitRow): LimitView {
  return { tenant, id, rules: rules as unknown as LimitRules };
}

/** What is used of a limit now; `payer` is missing where all payers share it. */
export interface LimitUsage {
  readonly payer?: string;
  readonly used: string;
  readonly remaining: string;
  /** Of a calendar window. */
  readonly resets_at?: string;
}

interface Total {
  readonly key: string;
  readonly held: string;
  readonly slots: Readonly<Record<string, string>> | null;
}

/**
 * What is used of a quota or spending limit in the window that runs now, by payer, from after one of them; one more than `limit`
 * if there is another page. Payers that used nothing are left out. @param at epoch milliseconds
 */
export async function usageOf(
  pool: Pool,
  {
    id,
    tenant,
    rules,
  }: { readonly tenant: { readonly id: string } & Token; readonly id: string; readonly rules: Quota },
  after: string | undefined,
  limit: number,
  at: number,
): Promise<LimitUsage[]> {
  const prefix = quotaPrefix(tenant.id, id, rules, tenant);
  const now = placeOf(prefix, EVERYBODY, rules.window, at);
  const ending = now.key.slice(prefix.length + EVERYBODY.length);
  // Underscores may be in ids, and stand for any character in a pattern.
  const pattern = prefix.replaceAll('_', String.raw`\_`);
  const { rows } = await pool.query<Total>({
    text: `select key, held::text, slots from hold_totals
           where key like $1 and key > $2 and held > 0 order by key limit $3`,
    values: [`${pattern}%${ending}`, after === undefined ? prefix : `${prefix}${after}${ending}`, limit + 1],
  });
  return rows.map((row) => usageView(row, rules, prefix, now.rolling?.since, now.rolling ? undefined : now.expiresAt));
}

function usageView(
  { held, key, slots }: Total,
  rules: Quota,
  prefix: string,
  since?: number,
  resetsAt?: number,
): LimitUsage {
  const used = since === undefined ? BigInt(held) : sumSince(slotsOf(slots ?? {}), since);
  const remaining = BigInt(rules.quantity) - used;
  const subject = key.slice(prefix.length).split('/')[0]!;
  return {
    ...(subject === EVERYBODY ? {} : { payer: subject }),
    used: used.toString(),
    remaining: (remaining < 0n ? 0n : remaining).toString(),
    ...(resetsAt === undefined ? {} : { resets_at: new Date(resetsAt).toISOString() }),
  };
}

function slotsOf(slots: Readonly<Record<string, string>>): Slots {
  return new Map(Object.entries(slots).map(([slot, amount]) => [Number(slot), BigInt(amount)]));
}
