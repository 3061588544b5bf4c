import type { Pool, PoolClient } from 'pg';
import { Problem } from '../../base/shared/problem.js';
import { ledgerTables } from './ledger.projection.js';

/** A point in the past, its event or instant included; `undefined` is now. */
export type AsOf = { readonly position: bigint } | { readonly instant: Date } | undefined;

/** One look at the ledger: everything read within it stands at the same position. */
export interface Snapshot {
  readonly client: PoolClient;
  /** Last event that the ledger has seen. */
  readonly checkpoint: bigint;
}

/**
 * Reads the ledger at one moment.
 *
 * @throws Problem `as_of_not_reached` if events up to that point are missing in the ledger
 */
export async function readLedger<T>(pool: Pool, asOf: AsOf, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query('begin isolation level repeatable read read only');
    // Before the snapshot is taken: to an older one, rebuilt tables that are swapped in would look empty.
    await client.query(`lock table ${ledgerTables.join(', ')} in access share mode`);
    const checkpoint = await checkpointOf(client);
    await mustReach(client, asOf, checkpoint);
    const result = await read({ client, checkpoint });
    await client.query('commit');
    failed = false;
    return result;
  } finally {
    // A connection within a failed transaction is not worth mending.
    client.release(failed);
  }
}

async function checkpointOf(client: PoolClient): Promise<bigint> {
  const { rows } = await client.query<{ position: string }>(
    "select position::text from projection_checkpoints where name = 'ledger'",
  );
  return BigInt(rows[0]?.position ?? 0);
}

/** An instant is reached once the event after the checkpoint is later, or none is there and the instant has passed. */
async function mustReach(client: PoolClient, asOf: AsOf, checkpoint: bigint): Promise<void> {
  if (!asOf) return;
  const reached = 'position' in asOf ? asOf.position <= checkpoint : await hasPassed(client, asOf.instant, checkpoint);
  if (!reached) throw new Problem('as_of_not_reached', `the ledger has come to position ${checkpoint}`);
}

async function hasPassed(client: PoolClient, instant: Date, checkpoint: bigint): Promise<boolean> {
  const { rows } = await client.query<{ passed: boolean }>(
    `select $1::timestamptz < coalesce((select occurred_at from events where position = $2::bigint + 1), now()) as passed`,
    [instant, checkpoint.toString()],
  );
  return rows[0]!.passed;
}
