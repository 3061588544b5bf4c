import type { Pool, PoolClient } from 'pg';
import { NotNow } from './projection.js';

/**
 * Runs the work in one transaction (read committed) and commits it.
 *
 * @throws NotNow if the connection was lost; else what the work threw, rolled back
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let usable = false;
  try {
    await client.query('begin isolation level read committed');
    const result = await work(client);
    await client.query('commit');
    usable = true;
    return result;
  } catch (error) {
    // A connection that still takes this was not the trouble.
    usable = await client.query('rollback').then(
      () => true,
      () => false,
    );
    throw usable ? error : new NotNow((error as Error).message, { cause: error });
  } finally {
    client.release(!usable);
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  return pool.connect().catch((cause: Error) => {
    throw new NotNow(cause.message, { cause });
  });
}
