import type { Pool } from 'pg';

/** How far a tenant's clock is ahead of the real one, in milliseconds. */
export async function offsetOf(pool: Pick<Pool, 'query'>, tenant: string): Promise<number> {
  const { rows } = await pool.query<{ offset: string }>({
    name: 'tenant-clock',
    text: 'select offset_ms::text as offset from tenant_clocks where tenant = $1',
    values: [tenant],
  });
  return Number(rows[0]?.offset ?? 0);
}
