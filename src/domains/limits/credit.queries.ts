import type { Pool } from 'pg';
import { readHolds } from '../../base/event-store/hold-totals.js';
import { creditKey } from './credit.js';

/** What an account owes, held for requests under way included; below zero: paid in advance. In atomic units. */
export async function owedBy(pool: Pool, tenant: string, customer: string): Promise<bigint> {
  const key = creditKey(tenant, customer);
  return (await readHolds(pool, [key])).get(key)?.held ?? 0n;
}
