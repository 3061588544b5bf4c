import type { Pool } from 'pg';
import { digestOf } from './key-text.js';
import { type TenantKeyKind, tenantKeys } from './tenant-key.js';

export interface TenantKeyView {
  readonly id: string;
  readonly issued_at: string;
}

/** The keys of a tenant that are not revoked, oldest first. */
export async function tenantKeysOf(pool: Pool, kind: TenantKeyKind, tenant: string): Promise<TenantKeyView[]> {
  const { rows } = await pool.query<{ id: string; issued_at: Date }>(
    `select id, issued_at from ${tenantKeys[kind].table} where tenant = $1 order by issued_at, id`,
    [tenant],
  );
  return rows.map(({ id, issued_at }) => ({ id, issued_at: issued_at.toISOString() }));
}

/**
 * The tenant whose key this is; nobody, without a query, for a text that we never made. Asked for each request, so that a
 * revocation counts from its answer on, everywhere.
 */
export async function tenantWithKey(
  pool: Pool,
  kind: TenantKeyKind,
  secret: Uint8Array,
  key: string,
): Promise<string | undefined> {
  const { prefix, table } = tenantKeys[kind];
  const digest = digestOf(key, secret, prefix);
  if (digest === undefined) return undefined;
  const { rows } = await pool.query<{ tenant: string }>({
    name: `key-of-${kind}`,
    text: `select tenant from ${table} where digest = $1`,
    values: [digest],
  });
  return rows[0]?.tenant;
}
