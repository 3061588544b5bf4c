import type { Pool } from 'pg';
import type { Prisma } from '../../base/platform/prisma.js';
import { digestOf, FACILITATOR_KEY } from './key-text.js';

export interface FacilitatorKeyView {
  readonly id: string;
  readonly issued_at: string;
}

/** The keys of a tenant that are not revoked, oldest first. */
export async function facilitatorKeysOf(prisma: Prisma, tenant: string): Promise<FacilitatorKeyView[]> {
  const orderBy = [{ issuedAt: 'asc' as const }, { id: 'asc' as const }];
  const rows = await prisma.facilitatorKey.findMany({ where: { tenant }, orderBy });
  return rows.map(({ id, issuedAt }) => ({ id, issued_at: issuedAt.toISOString() }));
}

/**
 * The tenant whose key this is; nobody, without a query, for a text that we never made. Asked for each request, so that a
 * revocation counts from its answer on, everywhere.
 */
export async function tenantWithKey(pool: Pool, secret: Uint8Array, key: string): Promise<string | undefined> {
  const digest = digestOf(key, secret, FACILITATOR_KEY);
  if (digest === undefined) return undefined;
  const { rows } = await pool.query<{ tenant: string }>({
    name: 'facilitator-key',
    text: 'select tenant from facilitator_keys where digest = $1',
    values: [digest],
  });
  return rows[0]?.tenant;
}
