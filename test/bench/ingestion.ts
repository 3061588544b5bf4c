/**
 * Usage events in batches of 1,000 through `POST /v1/events`, new each time, against raw inserts of the same rows into a table
 * with the same indexes of the same database, on as many connections, alternating.
 */
import { Agent, request } from 'node:http';
import pg from 'pg';
import { sha256 } from '../../src/base/event-store/seals/merkle.js';
import { canonicalExact, parseExactJson } from '../../src/base/shared/exact-json.js';
import type { App } from '../support/app.js';
import { UsageSender } from '../support/usage-sender.js';
import { perSecond } from './store-appends.js';

export interface IngestionRates {
  /** Events per second, one number per round. */
  readonly ours: readonly number[];
  readonly raw: readonly number[];
}

const BATCH = 1_000;
const BATCHES = 40;
const ROUNDS = 5;
/** Batches that are under way at the same time, on either side. */
const LANES = 4;
const CUSTOMERS = 100;
const BEGIN = Date.parse('2026-11-01T00:00:00Z');

type Event = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly subject: string;
  readonly time: string;
};

export async function measureIngestion(app: App, note: (line: string) => void): Promise<IngestionRates> {
  note('\nUsage events');
  const sender = await UsageSender.of(app);
  const pool = new pg.Pool({ connectionString: app.engines.postgres, max: LANES });
  const rates = { ours: [] as number[], raw: [] as number[] };
  try {
    await pool.query('create table raw_usage (like usage_events including all)');
    // What `like` leaves out.
    await pool.query(`create unique index on raw_usage ((tenant || ' ' || replaces)) where replaces is not null`);
    // Round 0 warms up both sides.
    for (let round = 0; round <= ROUNDS; round++) {
      const pair = [await sendAll(app, sender.key, round), await insertAll(pool, round)] as const;
      if (round === 0) continue;
      rates.ours.push(pair[0]);
      rates.raw.push(pair[1]);
    }
  } finally {
    await pool.query('drop table if exists raw_usage');
    await pool.end();
  }
  return rates;
}

/** As a model gateway reports it. */
function batchesOf(round: number): readonly (readonly Event[])[] {
  return Array.from({ length: BATCHES }, (_, batch) =>
    Array.from({ length: BATCH }, (_, line) => {
      const n = (round * BATCHES + batch) * BATCH + line;
      return {
        ...{ specversion: '1.0', id: `bench-${String(n).padStart(10, '0')}`, source: '/gateway/eu-1', type: 'used' },
        ...{ subject: `cus_${n % CUSTOMERS}`, time: new Date(BEGIN + n * 250).toISOString() },
        data: { n: 1 + (n % 997), model: 'large', region: 'eu-west', cached: false },
      };
    }),
  );
}

async function sendAll(app: App, key: string, round: number): Promise<number> {
  const bodies = batchesOf(round).map((batch) => Buffer.from(JSON.stringify(batch)));
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const lane = async () => {
    for (let body = bodies.pop(); body; body = bodies.pop()) await post(app, key, agent, body);
  };
  try {
    return await perSecond(BATCH * BATCHES, () =>
      Promise.all(Array.from({ length: LANES }, lane)).then(() => undefined),
    );
  } finally {
    agent.destroy();
  }
}

function post(app: App, key: string, agent: Agent, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' };
    const sent = request(`${app.control}/v1/events`, { method: 'POST', agent, headers }, async (answer) => {
      let text = '';
      for await (const piece of answer.setEncoding('utf8')) text += piece;
      if (JSON.parse(text).accepted === BATCH) resolve();
      else reject(new Error(`${answer.statusCode}: ${text.slice(0, 300)}`));
    });
    sent.on('error', reject).end(body);
  });
}

/** The rows that ours makes of these events, in batches of as many, on as many connections. */
function insertAll(pool: pg.Pool, round: number): Promise<number> {
  const pages = batchesOf(round).map((batch) => batch.map(rowOf));
  const lane = async () => {
    for (let rows = pages.pop(); rows; rows = pages.pop()) await insert(pool, rows);
  };
  return perSecond(BATCH * BATCHES, () => Promise.all(Array.from({ length: LANES }, lane)).then(() => undefined));
}

async function insert(pool: pg.Pool, rows: readonly (readonly unknown[])[]): Promise<void> {
  await pool.query({
    name: 'raw-usage',
    text: `insert into raw_usage (tenant, source, id, batch, line, customer, occurred_at, received_at, replaces, metered, event, leaf)
      select 'demo', * from unnest($1::text[], $2::text[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[],
        $7::timestamptz[], $8::text[], $9::jsonb[], $10::text[], $11::bytea[])`,
    values: Array.from({ length: 11 }, (_, column) => rows.map((row) => row[column])),
  });
}

const UUID = '019cb1f4-6a00-7abc-8def-0123456789ab';

function rowOf(event: Event, index: number) {
  const { id, source, subject, time, ...rest } = event;
  const metered = JSON.stringify({ calls: '1', used: String((rest.data as { n: number }).n) });
  const text = canonicalExact(parseExactJson(Buffer.from(JSON.stringify(event))));
  return [source, id, UUID, index + 1, subject, time, new Date().toISOString(), null, metered, text, sha256(text)];
}
