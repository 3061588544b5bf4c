import type { PoolClient } from 'pg';
import { LEASE_END, type Lease } from './leases.js';
import type { Projection } from './projection.js';

export interface ClaimedRebuild {
  readonly lease: Lease;
  /** What an earlier rebuild had come to. */
  readonly version: number;
  readonly position: bigint;
}

/** Takes the right to rebuild a projection; `undefined`: another process is at it. */
export async function claimRebuild(
  client: PoolClient,
  { name, version }: Projection,
  owner: string,
): Promise<ClaimedRebuild | undefined> {
  await client.query(
    'insert into projection_rebuilds (name, version, position) values ($1, $2, 0) on conflict (name) do nothing',
    [name, version],
  );
  const { rows } = await client.query<{ epoch: string; version: number; position: string }>(
    `with free as (
       select name from projection_rebuilds
       where name = $1 and (lease_until is null or lease_until < clock_timestamp()) for update skip locked)
     update projection_rebuilds r set owner = $2, epoch = r.epoch + 1, lease_until = ${LEASE_END}
     from free where r.name = free.name returning r.epoch::text, r.version, r.position::text`,
    [name, owner],
  );
  const row = rows[0];
  if (!row) return undefined;
  const lease: Lease = { table: 'projection_rebuilds', name, owner, epoch: row.epoch };
  return { lease, version: row.version, position: BigInt(row.position) };
}
