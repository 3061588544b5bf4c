import type { Pool } from 'pg';
import { inTransaction } from './in-transaction.js';
import { LEASE_END, type Lease } from './leases.js';
import type { Projection } from './projection.js';

/** One hand-over at a time, or two that count at once give away one projection too many. */
const HAND_OVER_LOCK = '8402, 5';

const leasesOf = (owner: string) =>
  `(select count(*) from projection_checkpoints l where l.lease_until > clock_timestamp()
     and (l.owner = ${owner} or (l.owner is null and l.wanted_by = ${owner})))`;

/** Asks the holder of a projection for it, if it has at least two more than we have. So shares differ by one at most. */
export async function askForProjection(pool: Pool, { name, version }: Projection, asker: string): Promise<void> {
  await pool.query(
    `update projection_checkpoints c set wanted_by = $3
     where name = $1 and version = $2 and owner <> $3 and wanted_by is null and lease_until > clock_timestamp()
       and ${leasesOf('c.owner')} >= ${leasesOf('$3')} + 2`,
    [name, version, asker],
  );
}

/**
 * Promises the projection to whom asked for it, between two batches, if that still evens out the shares. If the asker does
 * not come for it within the time of a lease, anybody may have it.
 *
 * @returns `false`: the lease stays here, and the asker has to ask again
 */
export async function handOver(pool: Pool, lease: Lease): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(${HAND_OVER_LOCK})`);
    const values = [lease.name, lease.owner, lease.epoch];
    const { rowCount } = await client.query(
      `update projection_checkpoints c set owner = null, epoch = epoch + 1, lease_until = ${LEASE_END}
       where name = $1 and owner = $2 and epoch = $3 and wanted_by is not null
         and ${leasesOf('$2')} >= ${leasesOf('c.wanted_by')} + 2`,
      values,
    );
    if (rowCount === 1) return true;
    await client.query(
      'update projection_checkpoints set wanted_by = null where name = $1 and owner = $2 and epoch = $3',
      values,
    );
    return false;
  });
}
