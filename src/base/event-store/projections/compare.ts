import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { escapeIdentifier, type Pool, type PoolClient } from 'pg';
import type { Upcast } from '../event.js';
import { rebuildSchema } from './clone-tables.js';
import { LEASE_MS } from './leases.js';
import type { Projection } from './projection.js';
import { type OnProgress, Rebuild, RebuildElsewhere, type RebuildOptions } from './rebuild.js';

/** So many differing rows are shown of a table. */
const SHOWN_MAX = 20;
const CLAIM_PAUSE_MS = 250;

export interface RowDifference {
  /** `-`: only among the live rows; `+`: only among the rebuilt ones. */
  readonly side: '-' | '+';
  /** The row as a JSON object; numbers in it are exact. */
  readonly row: string;
}

export interface TableComparison {
  readonly table: string;
  readonly liveRows: number;
  readonly rebuiltRows: number;
  readonly equal: boolean;
  /** The first ones, up to twenty. */
  readonly differences: readonly RowDifference[];
}

export interface ProjectionComparison {
  readonly projection: string;
  /** Both sides have applied the events up to this one. */
  readonly position: bigint;
  readonly equal: boolean;
  readonly tables: readonly TableComparison[];
}

/**
 * Rebuilds a projection beside its live rows, as they are while Tollbook runs, compares the two, and removes the copy.
 *
 * @param pool without a time limit for statements, at least four connections
 * @throws RebuildElsewhere if another process rebuilds it; PoisonEvent
 */
export async function compareRebuilt(
  pool: Pool,
  projection: Projection,
  onProgress?: OnProgress,
  upcast?: Upcast,
): Promise<ProjectionComparison> {
  const rebuild = await beginSoon(pool, projection, { compareOnly: true, upcast });
  try {
    await rebuild.fill('live', onProgress);
    return await compareWithLive(rebuild);
  } finally {
    await rebuild.drop();
  }
}

/**
 * Like `Rebuild.begin`, but waits until the lease of a process that was killed has lapsed.
 *
 * @throws RebuildElsewhere
 */
export async function beginSoon(pool: Pool, projection: Projection, options: RebuildOptions): Promise<Rebuild> {
  const giveUpAt = performance.now() + 2 * LEASE_MS;
  for (;;) {
    const rebuild = await Rebuild.begin(pool, projection, options);
    if (rebuild) return rebuild;
    if (performance.now() > giveUpAt) {
      throw new RebuildElsewhere(`projection ${projection.name} is being rebuilt by another process`);
    }
    await pause(CLAIM_PAUSE_MS);
  }
}

/**
 * Compares every table at the same position: the live projection is held for the moment that the rebuilt rows need to
 * catch up and a snapshot takes; then both go on.
 */
export async function compareWithLive(rebuild: Rebuild): Promise<ProjectionComparison> {
  const { pool, projection } = rebuild;
  const snapshot = await pool.connect();
  try {
    const position = await holdLive(rebuild, async () => {
      await snapshot.query('begin isolation level repeatable read read only');
      await snapshot.query('select 1');
    });
    const tables: TableComparison[] = [];
    for (const table of projection.tables) tables.push(await compareTable(snapshot, projection, table));
    await snapshot.query('commit');
    snapshot.release();
    return { projection: projection.name, position, equal: tables.every(({ equal }) => equal), tables };
  } catch (error) {
    snapshot.release(true);
    throw error;
  }
}

/** Catches up with the live rows and does the work while neither moves. */
async function holdLive(rebuild: Rebuild, work: () => Promise<void>): Promise<bigint> {
  const client = await rebuild.pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ position: string }>(
      'select position::text from projection_checkpoints where name = $1 for update',
      [rebuild.projection.name],
    );
    const position = BigInt(rows[0]?.position ?? 0);
    await rebuild.fillTo(position);
    await work();
    await client.query('rollback');
    client.release();
    return position;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function compareTable(client: PoolClient, projection: Projection, table: string): Promise<TableComparison> {
  const live = `public.${escapeIdentifier(table)}`;
  const rebuilt = `${rebuildSchema(projection)}.${escapeIdentifier(table)}`;
  // A seed that nobody knows before: no rows can be chosen whose hashes add up to those of others.
  const seed = randomBytes(8).readBigInt64BE().toString();
  const [of, to] = [await contentOf(client, live, seed), await contentOf(client, rebuilt, seed)];
  const equal = of.rows === to.rows && of.sum === to.sum;
  const differences = equal ? [] : await differencesOf(client, live, rebuilt);
  return { table, liveRows: Number(of.rows), rebuiltRows: Number(to.rows), equal, differences };
}

/** The number of rows, and a sum of their hashes, which does not depend on their order. */
async function contentOf(client: PoolClient, table: string, seed: string): Promise<{ rows: string; sum: string }> {
  const { rows } = await client.query<{ rows: string; sum: string }>(
    `select count(*)::text as rows, coalesce(sum(hashtextextended(t::text, $1)), 0)::text as sum from ${table} t`,
    [seed],
  );
  return rows[0]!;
}

/** By primary key, so that both sides of a row that differs stand together. */
async function differencesOf(client: PoolClient, live: string, rebuilt: string): Promise<RowDifference[]> {
  const { rows: keys } = await client.query<{ column: string }>(
    `select attname as column from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
     where indrelid = $1::regclass and indisprimary order by array_position(indkey::int[], attnum::int)`,
    [live],
  );
  const key = `jsonb_build_array(${keys.map(({ column }) => `t.${escapeIdentifier(column)}`).join(', ')})`;
  const text = (table: string) => `select ${key} as key, row_to_json(t)::text as row from ${table} t`;
  const { rows } = await client.query<RowDifference>(
    `select side, row from (
       select '-' as side, * from (${text(live)} except all ${text(rebuilt)}) gone
       union all select '+', * from (${text(rebuilt)} except all ${text(live)}) come) differing
     order by key, side desc limit ${SHOWN_MAX}`,
  );
  return rows;
}
