import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Projection } from './projection.js';

type Db = Pool | PoolClient;
type LeaseTable = 'projection_checkpoints' | 'projection_rebuilds';

/** Names this process among all that share the projections. */
export const THIS_PROCESS = randomUUID();

/** How long a lease outlives its last extension, in milliseconds. Only the database's clock counts. */
export const LEASE_MS = 3_000;
export const LEASE_END = `clock_timestamp() + interval '${LEASE_MS} milliseconds'`;
const ERROR_LENGTH_MAX = 500;

/**
 * The right to move one checkpoint. `epoch` is its fencing token: whoever takes the lease raises it, and each batch
 * asks for it with the row locked, so that a holder that was away finds out before it writes.
 */
export interface Lease {
  readonly table: LeaseTable;
  readonly name: string;
  readonly owner: string;
  readonly epoch: string;
}

export interface Checkpoint {
  readonly position: bigint;
  /** Position of the last event in the log. */
  readonly head: bigint;
  readonly wantedBy: string | null;
}

/** Makes sure that the projection has a checkpoint; returns the version of its rows, and how far they are. */
export async function registerProjection(
  db: Db,
  { name, version }: Projection,
): Promise<{ readonly version: number; readonly position: bigint }> {
  await db.query(
    'insert into projection_checkpoints (name, version, position) values ($1, $2, 0) on conflict (name) do nothing',
    [name, version],
  );
  const { rows } = await db.query<{ version: number; position: string }>(
    'select version, position::text from projection_checkpoints where name = $1',
    [name],
  );
  return { version: rows[0]!.version, position: BigInt(rows[0]!.position) };
}

/**
 * Takes the lease if nobody has it, its holder let it lapse, or it is an earlier run's of this process. A row that is locked belongs to a batch at work, whatever the
 * time. One that is promised (`wanted_by`, see sharing.ts) waits for whom it is promised to.
 */
export async function claimProjection(db: Db, projection: Projection, owner: string): Promise<Lease | undefined> {
  const { name, version } = projection;
  const { rows } = await db.query<{ epoch: string }>(
    `with free as (
       select name from projection_checkpoints
       where name = $1 and version = $2 and (lease_until is null or lease_until < clock_timestamp()
         or owner = $3 or (owner is null and wanted_by = $3))
       for update skip locked)
     update projection_checkpoints c
     set owner = $3, epoch = c.epoch + 1, lease_until = ${LEASE_END}, wanted_by = null
     from free where c.name = free.name returning c.epoch::text`,
    [name, version, owner],
  );
  return rows[0] && { table: 'projection_checkpoints', name, owner, epoch: rows[0].epoch };
}

/** Locks the checkpoint for this transaction; `undefined`: somebody else has the lease by now. */
export async function holdCheckpoint(client: PoolClient, lease: Lease): Promise<Checkpoint | undefined> {
  const { rows } = await client.query<{ position: string; head: string; wanted: string | null }>({
    name: `hold-${lease.table}`,
    text: `select position::text, (select coalesce(max(position), 0) from events)::text as head,
             to_jsonb(c) ->> 'wanted_by' as wanted
           from ${lease.table} c where name = $1 and owner = $2 and epoch = $3 for update`,
    values: [lease.name, lease.owner, lease.epoch],
  });
  const row = rows[0];
  return row && { position: BigInt(row.position), head: BigInt(row.head), wantedBy: row.wanted };
}

/** Moves the checkpoint and extends the lease; what stopped it is over. The caller holds the checkpoint. */
export async function moveCheckpoint(client: PoolClient, lease: Lease, position: bigint): Promise<void> {
  await client.query({
    name: `move-${lease.table}`,
    text: `update ${lease.table} set position = $2, lease_until = ${LEASE_END}, stopped_at = null, stopped_error = null
           where name = $1`,
    values: [lease.name, position.toString()],
  });
}

/** Extends the lease. `false`: it is lost. */
export async function extendLease(db: Db, lease: Lease): Promise<boolean> {
  const { rowCount } = await db.query(
    `update ${lease.table} set lease_until = ${LEASE_END} where name = $1 and owner = $2 and epoch = $3`,
    [lease.name, lease.owner, lease.epoch],
  );
  return rowCount === 1;
}

/** Notes which event cannot be applied, for everybody to see, and keeps the lease. */
export async function noteStop(db: Db, lease: Lease, position: bigint, error: string): Promise<void> {
  await db.query(
    `update ${lease.table} set stopped_at = $4, stopped_error = $5, lease_until = ${LEASE_END}
     where name = $1 and owner = $2 and epoch = $3`,
    [lease.name, lease.owner, lease.epoch, position.toString(), error.slice(0, ERROR_LENGTH_MAX)],
  );
}

/** Gives the lease back, so that others need not wait for it to lapse. */
export async function releaseLease(db: Db, lease: Lease): Promise<void> {
  await db.query(
    `update ${lease.table} set owner = null, lease_until = null where name = $1 and owner = $2 and epoch = $3`,
    [lease.name, lease.owner, lease.epoch],
  );
}
