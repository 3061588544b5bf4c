import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import type { Address } from '../../base/shared/hex.js';
import type { Allowance as AllowanceRow } from '../../generated/prisma/client.js';
import { type Allowance, allowanceKey, EACH, periodOf } from './allowance.js';

export interface AllowanceView {
  readonly counts: 'requests' | 'units';
  readonly limit: string;
  readonly period: 'day' | 'month';
}

/** How far an allowance is used. */
export interface UsedAllowanceView extends AllowanceView {
  /** True if it is the one that each proven customer has. */
  readonly shared: boolean;
  readonly used: string;
  readonly remaining: string;
  /** When the period ends. */
  readonly resets_at: string;
}

export function findAllowance(prisma: Prisma, tenant: string, payer: string): Promise<AllowanceRow | null> {
  return prisma.allowance.findUnique({ where: { tenant_payer: { tenant, payer } } });
}

export function allowanceView({ counts, period, quota }: AllowanceRow): AllowanceView {
  return { counts: counts as Allowance['counts'], limit: quota.toFixed(), period: period as Allowance['period'] };
}

/** What a customer may use without paying, and what is left of it. @param now epoch milliseconds */
export async function usedAllowance(
  prisma: Prisma,
  pool: Pool,
  { payer, tenant }: { readonly tenant: string; readonly payer: Address },
  now: number,
): Promise<UsedAllowanceView | undefined> {
  const own = await findAllowance(prisma, tenant, payer);
  const row = own ?? (await findAllowance(prisma, tenant, EACH));
  if (!row) return undefined;
  const allowance = allowanceView(row);
  const period = periodOf(allowance, now);
  const used = await usedOf(pool, allowanceKey(tenant, payer, allowance, period));
  const left = BigInt(allowance.limit) - used;
  return {
    ...allowance,
    shared: !own,
    used: used.toString(),
    remaining: (left < 0n ? 0n : left).toString(),
    resets_at: new Date(period.end).toISOString(),
  };
}

/** What is counted under a key of `allowanceKey`. */
export async function usedOf(pool: Pool, key: string): Promise<bigint> {
  const { rows } = await pool.query<{ held: string }>({
    name: 'allowance-used',
    text: 'select held::text from hold_totals where key = $1',
    values: [key],
  });
  return BigInt(rows[0]?.held ?? 0);
}
