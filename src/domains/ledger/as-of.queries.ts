import type { Pool, PoolClient } from 'pg';
import { readSnapshot } from '../../base/platform/read-snapshot.js';
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
export function readLedger<T>(pool: Pool, asOf: AsOf, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return readSnapshot(pool, ledgerTables, async (client) => {
    const checkpoint = await checkpointOf(client);
    await mustReach(client, asOf, checkpoint);
    return read({ client, checkpoint });
  });
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
