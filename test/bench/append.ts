/**
 * Appends through the event store against raw inserts of the same rows, alternating, each into its own database:
 * `append.ts <database url> <database url> <rounds>`. Both sides serialize their events within the time measured.
 */
import pg from 'pg';
import { NEW_STREAM, type NewEvent } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { sampleEvents } from './sample-events.js';

export interface AppendRates {
  /** Events per second, one number per round. */
  readonly store: readonly number[];
  readonly raw: readonly number[];
}

const STREAMS = 10_000;
/** As many writers at once as a busy gateway has requests between admission and delivery. */
const CALLERS = 1_000;
/** The store commits what piled up meanwhile, which with this many callers is about this many events. */
const RAW_ROWS = 500;
const TENANT = 'demo';

const [storeUrl, rawUrl, rounds] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];

/** Every stream gets its two events one after the other, as a payment does. Resolves to events per second. */
async function appendAll(store: EventStore, round: number): Promise<number> {
  const streams = streamsOf(round);
  let taken = 0;
  const caller = async () => {
    for (let index = taken++; index < streams.length; index = taken++) {
      const { stream, events } = streams[index]!;
      for (const [version, event] of events.entries()) {
        await store.append({
          stream,
          tenant: TENANT,
          expectedVersion: NEW_STREAM + version,
          decide: () => ({ events: [event] }),
        });
      }
    }
  };
  return eventsPerSecond(() => Promise.all(Array.from({ length: CALLERS }, caller)));
}

/** The same rows in full batches on one connection: the store, too, commits on one at a time. */
async function insertAll(client: pg.Client, round: number): Promise<number> {
  const streams = streamsOf(round);
  const rows = [0, 1].flatMap((version) =>
    streams.map(({ stream, events }) => ({ stream, version, event: events[version]! })),
  );
  let head = rows.length * round;
  return eventsPerSecond(async () => {
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

function streamsOf(round: number): { stream: string; events: readonly [NewEvent, NewEvent] }[] {
  return Array.from({ length: STREAMS }, (_, index) => {
    const number = round * STREAMS + index;
    return { stream: `payment/pay_${number.toString(16).padStart(32, '0')}`, events: sampleEvents(number) };
  });
}

async function eventsPerSecond(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (STREAMS * 2 * 1000) / (performance.now() - start);
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
