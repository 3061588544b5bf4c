import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { asStored } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { type Projection, ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { compareRebuilt } from '../../src/base/event-store/projections/compare.js';
import { fillTogether } from '../../src/base/event-store/projections/fill-together.js';
import { PoisonEvent } from '../../src/base/event-store/projections/projection.js';
import { NewerRows, Rebuild } from '../../src/base/event-store/projections/rebuild.js';
import { openBatchPool, openPool } from '../../src/base/platform/pool.js';
import { usageProjection } from '../../src/domains/metering/usage.projection.js';
import { paymentsProjection } from '../../src/domains/payments/payments.projection.js';
import { upcast } from '../../src/event-catalogue.js';
import { projections } from '../../src/projections.js';
import { appendBilling } from '../support/billing-events.js';
import { appendCommitments } from '../support/commitment-events.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { appendPayments, caughtUp, checkpoints, headOf, runToEnd, silent } from '../support/projections.js';

const payments = paymentsProjection(upcast);
const NAMES = projections.map(({ name }) => name);
const TABLES = projections.flatMap(({ tables }) => tables);

let pool: Pool;
let batch: Pool;
let tail: LogTail;
let store: EventStore;
const running: ProjectionRunner[] = [];

beforeEach(async () => {
  const url = await freshDatabase();
  pool = openPool(url, 'test', 10, silent);
  batch = openBatchPool(url, 'test-batch', 8, silent);
  tail = new LogTail(url, silent);
  await tail.start();
  store = new EventStore(pool, () => Date.UTC(2026, 10, 23, 12));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((runner) => runner.stop()));
  await tail.stop();
  await Promise.all([pool.end(), batch.end()]);
});

function start(projection: Projection, owner?: string): void {
  const runner = new ProjectionRunner(pool, tail, projection, silent, undefined, owner);
  running.push(runner);
  runner.start();
}

/** Everything that Postgres knows of the tables: columns, keys, indexes, triggers, storage parameters, grants. */
async function shapeOf(tables: readonly string[]): Promise<unknown[]> {
  const { rows } = await pool.query(
    `select c.relname, c.relpersistence, c.reloptions, c.relacl::text,
       array(select concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attstorage,
         pg_get_expr(adbin, adrelid)) from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = c.oid and attnum > 0 order by attnum) as columns,
       array(select pg_get_indexdef(indexrelid) from pg_index where indrelid = c.oid order by 1) as indexes,
       array(select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = c.oid
         order by 1) as constraints,
       array(select pg_get_triggerdef(oid) from pg_trigger where tgrelid = c.oid order by 1) as triggers
     from pg_class c where c.oid = any($1::regclass[]) order by 1`,
    [tables],
  );
  return rows;
}

async function leftovers(): Promise<number> {
  const { rows } = await pool.query(
    `select (select count(*) from pg_namespace where nspname like 'rebuild%')
       + (select count(*) from projection_rebuilds) as n`,
  );
  return Number(rows[0].n);
}

async function rebuildAndSwap(projection: Projection): Promise<void> {
  const rebuild = (await Rebuild.begin(batch, projection))!;
  await rebuild.fill('head');
  await rebuild.index();
  await rebuild.swap();
}

describe('a rebuild', () => {
  it('equals the live rows while traffic goes on, takes their place, and nobody notices', async () => {
    await pool.query('create role accountant');
    await pool.query('grant select on payments to accountant');
    for (const projection of projections) start(projection);
    const shape = await shapeOf(TABLES);
    let traffic = true;
    let sent = 0;
    const writing = (async () => {
      for (; traffic; sent += 20) {
        await appendPayments(store, sent, sent + 20);
        await appendCommitments(store, sent, sent + 20);
        await appendBilling(store, sent, sent + 20);
        // Faster than a busy machine can rebuild, it would never end.
        await pause(100);
      }
    })();
    let least = 0;
    const reading = (async () => {
      while (traffic) {
        const { rows } = await pool.query({ name: 'count', text: 'select count(*)::int as n from payments' });
        if (rows[0].n < least) throw new Error(`${rows[0].n} payments, and ${least} before`);
        least = rows[0].n;
      }
    })();
    try {
      await eventually(() => least > 40, 20_000);
      for (const projection of projections) {
        const compared = await compareRebuilt(batch, projection);
        expect(compared).toMatchObject({ projection: projection.name, equal: true });
        expect(compared.tables.map(({ rebuiltRows }) => rebuiltRows > 0)).not.toContain(false);
        await rebuildAndSwap(projection);
      }
    } finally {
      traffic = false;
      await Promise.all([writing, reading]);
    }
    await caughtUp(pool, NAMES);
    for (const projection of projections) {
      expect((await compareRebuilt(batch, projection)).equal).toBe(true);
    }
    expect(await shapeOf(TABLES)).toEqual(shape);
    expect(await leftovers()).toBe(0);
    await pool.query('drop owned by accountant');
    await pool.query('drop role accountant');
  });

  it('shows the rows that differ, and mends them', async () => {
    await appendPayments(store, 0, 30);
    await runToEnd(pool, tail, payments);
    await pool.query('update payments set amount = amount + 1 where id = (select min(id) from payments)');
    await pool.query('delete from payments where id = (select max(id) from payments)');
    const compared = await compareRebuilt(batch, payments);
    expect(compared.equal).toBe(false);
    const [table] = compared.tables;
    expect(table).toMatchObject({ table: 'payments', liveRows: 29, rebuiltRows: 30, equal: false });
    const shown = table!.differences.map(({ row, side }) => [side, JSON.parse(row).amount, JSON.parse(row).id]);
    expect(shown.map(([side]) => side)).toEqual(['-', '+', '+']);
    expect(shown[0]).toEqual(['-', shown[1]![1] + 1, shown[1]![2]]);
    await rebuildAndSwap(payments);
    expect((await compareRebuilt(batch, payments)).equal).toBe(true);
  });

  it('of several reads the log once; one that fails does not hold up the others', async () => {
    await appendPayments(store, 0, 30);
    const head = BigInt(await headOf(pool));
    const broken: Projection = {
      ...usageProjection(asStored),
      begin: () => async (client, events) => {
        if (events.some(({ position }) => position >= 20n)) throw new TypeError('no such field');
        await usageProjection(asStored).begin()(client, events);
      },
    };
    const rebuilds = [(await Rebuild.begin(batch, payments))!, (await Rebuild.begin(batch, broken))!];
    const seen: bigint[] = [];
    await fillTogether(batch, rebuilds, head, { upcast: asStored, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([head]);
    await rebuilds[0]!.swap();
    expect((await checkpoints(pool)).get('payments')).toMatchObject({ position: Number(head) });
    await expect(rebuilds[1]!.fill('head')).rejects.toThrow(PoisonEvent);
    const { rows } = await pool.query('select name, stopped_at::int as at, position::int from projection_rebuilds');
    expect(rows).toEqual([{ name: 'usage', at: expect.any(Number), position: rows[0].at - 1 }]);
    expect(rows[0].at).toBeGreaterThanOrEqual(20);
    await rebuilds[1]!.drop();
    expect((await compareRebuilt(batch, payments)).equal).toBe(true);
  });

  it('is one at a time; what a killed process left is no obstacle', async () => {
    await appendPayments(store, 0, 30);
    await runToEnd(pool, tail, payments);
    const first = (await Rebuild.begin(batch, payments, { owner: 'one' }))!;
    await first.fill('head');
    expect(await Rebuild.begin(batch, payments, { owner: 'two' })).toBeUndefined();
    // As if it had been killed: its lease lapses and its tables stay.
    await pool.query("update projection_rebuilds set owner = 'gone', lease_until = clock_timestamp()");
    expect((await compareRebuilt(batch, payments)).equal).toBe(true);
    await expect(first.swap()).rejects.toThrow(/another process rebuilds projection payments/);
    await first.drop();
    expect((await checkpoints(pool)).get('payments')).toMatchObject({ version: payments.version });
    expect(await leftovers()).toBe(0);
  });
});

describe('a newer version of a projection', () => {
  const newer: Projection = {
    ...payments,
    version: payments.version + 1,
    begin: () => async (client, events) => {
      await payments.begin()(client, events);
      await client.query("update payments set reason = 'newer'");
    },
  };

  it('is built beside the rows of the older one, which an older process keeps until the swap and leaves alone after it', async () => {
    await appendPayments(store, 0, 40);
    start(payments, 'older');
    await caughtUp(pool, ['payments']);
    start(newer, 'newer');
    const reading = eventually(async () => {
      const { rows } = await pool.query(
        "select count(*)::int as n, count(*) filter (where reason = 'newer')::int as new from payments",
      );
      expect(rows[0].n).toBe(40);
      return rows[0].new === 40;
    }, 20_000);
    await reading;
    await appendPayments(store, 40, 60);
    await caughtUp(pool, ['payments']);
    expect((await checkpoints(pool)).get('payments')).toMatchObject({
      version: payments.version + 1,
      owner: 'newer',
    });
    const { rows } = await pool.query("select count(*)::int as n from payments where reason = 'newer'");
    expect(rows[0].n).toBe(60);
    const older = (await Rebuild.begin(batch, payments))!;
    await older.fill('head');
    await expect(older.swap()).rejects.toThrow(NewerRows);
    await older.drop();
  });

  it('goes on where an interrupted rebuild stopped', async () => {
    await appendPayments(store, 0, 40);
    await runToEnd(pool, tail, payments);
    const interrupted = (await Rebuild.begin(batch, newer, { resume: true }))!;
    await interrupted.fillTo(50n);
    await interrupted.pause();
    const again = (await Rebuild.begin(batch, newer, { resume: true }))!;
    const started: bigint[] = [];
    await again.fill('head', ({ done }) => started.push(done));
    expect(started[0]).toBe(50n);
    await again.index();
    await again.swap();
    expect((await compareRebuilt(batch, newer)).equal).toBe(true);
  });
});
