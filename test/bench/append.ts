/**
 * Appends through the event store against raw inserts of the same rows, alternating, each into its own database:
 * `append.ts <database url> <database url> <rounds>`. Both sides serialize their events within the time measured.
 */
import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { appendAll, perSecond, streamsOf, TENANT } from './store-appends.js';

export interface AppendRates {
  /** Events per second, one number per round. */
  readonly store: readonly number[];
  readonly raw: readonly number[];
}

/** The store commits what piled up meanwhile, which with this many callers is about this many events. */
const RAW_ROWS = 500;

const [storeUrl, rawUrl, rounds] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];

/** The same rows in full batches on one connection: the store, too, commits on one at a time. */
async function insertAll(client: pg.Client, round: number): Promise<number> {
  const streams = streamsOf(round);
  const rows = [0, 1].flatMap((version) =>
    streams.map(({ stream, events }) => ({ stream, version, event: events[version]! })),
  );
  let head = rows.length * round;
  return perSecond(rows.length, async () => {
    for (let start = 0; start < rows.length; start += RAW_ROWS) {
      const batch = rows.slice(start, start + RAW_ROWS);
      await client.query({
        name: 'raw',
        text: `insert into events (position, stream, version, type, schema, tenant, data, occurred_at)
          select $1::bigint + e.n, e.stream, e.version, e.type, e.schema, e.tenant, e.data, $8::timestamptz
          from unnest($2::text[], $3::int[], $4::text[], $5::smallint[], $6::text[], $7::jsonb[])
            with ordinality as e (stream, version, type, schema, tenant, data, n)`,
        values: [
          head,
          batch.map((row) => row.stream),
          batch.map((row) => row.version + 1),
          batch.map((row) => row.event.type),
          batch.map((row) => row.event.schema),
          batch.map(() => TENANT),
          batch.map((row) => JSON.stringify(row.event.data)),
          new Date(),
        ],
      });
      head += batch.length;
    }
  });
}

const pool = openPool(storeUrl, 'bench', 16, console);
const store = new EventStore(pool, systemClock);
const client = new pg.Client({ connectionString: rawUrl });
await client.connect();
const rates = { store: [] as number[], raw: [] as number[] };
for (let round = 0; round <= rounds; round++) {
  const pair = [await appendAll(store, round), await insertAll(client, round)] as const;
  // Round 0 warms up both sides: plans, caches, compiled code.
  if (round === 0) continue;
  rates.store.push(pair[0]);
  rates.raw.push(pair[1]);
}
await pool.end();
await client.end();
process.send?.(rates satisfies AppendRates);
process.disconnect?.();
