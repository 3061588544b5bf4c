import type { Pool, PoolClient } from 'pg';

/**
 * Everything that `read` reads is of one moment, while others write.
 *
 * @param tables that a rebuild may replace. They are locked before the snapshot is taken, which a lock does not do: to an
 *   older one, tables that are swapped in would look empty.
 */
export async function readSnapshot<T>(
  pool: Pool,
  tables: readonly string[],
  read: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query('begin isolation level repeatable read read only');
    if (tables.length > 0) await client.query(`lock table ${tables.join(', ')} in access share mode`);
    const result = await read(client);
    await client.query('commit');
    failed = false;
    return result;
  } finally {
    // A connection within a failed transaction is not worth mending.
    client.release(failed);
  }
}
