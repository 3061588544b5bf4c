import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { type Projection, ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { openPool } from '../../src/base/platform/pool.js';
import { RefundWallets } from '../../src/domains/settlement/refunds/refund-wallets.js';
import { addMetrics } from '../../src/edges/health/metrics.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { appendPayments, caughtUp, checkpoints, headOf, silent } from '../support/projections.js';

let pool: Pool;
let tail: LogTail;
let store: EventStore;
const running: ProjectionRunner[] = [];

beforeEach(async () => {
  const url = await freshDatabase();
  pool = openPool(url, 'test', 10, silent);
  tail = new LogTail(url, silent);
  await tail.start();
  store = new EventStore(pool, () => Date.UTC(2026, 10, 23, 12));
  await pool.query('create table counts (name text primary key, seen bigint not null)');
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((runner) => runner.stop()));
  await tail.stop();
  await pool.end();
});

/** Counts every event; an event applied twice is counted twice. */
function counter(name: string, before: () => Promise<void> = async () => undefined): Projection {
  const types = ['PaymentAuthorized', 'RequestDelivered', 'SettlementSubmitted', 'PaymentSettled'];
  return {
    name,
    version: 1,
    types,
    tables: ['counts'],
    lagMs: 0,
    begin: () => async (client, events) => {
      await before();
      await client.query(
        `insert into counts as c values ($1, $2) on conflict (name) do update set seen = c.seen + excluded.seen`,
        [name, events.length],
      );
    },
  };
}

function runner(projection: Projection, owner: string, log = silent): ProjectionRunner {
  const one = new ProjectionRunner(pool, tail, projection, log, undefined, owner);
  running.push(one);
  return one;
}

async function expectCounted(name: string): Promise<void> {
  const { rows } = await pool.query(
    `select (select seen from counts where name = $1)::int as seen, (select count(*) from events
       where type in ('PaymentAuthorized', 'RequestDelivered', 'SettlementSubmitted', 'PaymentSettled'))::int as events`,
    [name],
  );
  expect(rows[0].seen).toBe(rows[0].events);
}

async function metricsOf(of: Pool): Promise<string> {
  const refunds = { pool: of, chains: new Map(), tokens: { on: () => undefined }, wallets: new RefundWallets([]) };
  return addMetrics(new Registry(), { byNetwork: new Map() }, refunds).metrics();
}

describe('several workers', () => {
  it('share the projections evenly, and take over at once what another gives back', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const one = names.map((name) => runner(counter(name), 'one'));
    for (const each of one) each.start();
    await caughtUp(pool, names);
    const two = names.map((name) => runner(counter(name), 'two'));
    for (const each of two) each.start();
    await eventually(async () => {
      const owners = [...(await checkpoints(pool)).values()].map(({ owner }) => owner);
      const share = owners.filter((owner) => owner === 'two').length;
      return owners.length === 5 && !owners.includes(null) && (share === 2 || share === 3);
    }, 20_000);
    await appendPayments(store, 0, 30);
    await caughtUp(pool, names);
    await Promise.all(one.map((each) => each.stop()));
    const stoppedAt = performance.now();
    await eventually(async () => [...(await checkpoints(pool)).values()].every(({ owner }) => owner === 'two'));
    // Well before a lease that was not given back would lapse.
    expect(performance.now() - stoppedAt).toBeLessThan(2_500);
    await appendPayments(store, 30, 60);
    await caughtUp(pool, names);
    for (const name of names) await expectCounted(name);
  });

  it('fence off a holder whose lease was taken while it was away', async () => {
    await appendPayments(store, 0, 20);
    const first = runner(counter('a'), 'one');
    while (await first.step());
    await expectCounted('a');
    // As if it had been stopped for longer than its lease.
    await pool.query("update projection_checkpoints set lease_until = clock_timestamp() - interval '1 second'");
    const second = runner(counter('a'), 'two');
    while (await second.step());
    await appendPayments(store, 20, 30);
    await first.step();
    expect((await checkpoints(pool)).get('a')).toMatchObject({ owner: 'two', epoch: 2 });
    while (await second.step());
    await expectCounted('a');
  });

  it('do not overtake a batch that is at work, whatever the time', async () => {
    await appendPayments(store, 0, 5);
    let letGo: (() => void) | undefined;
    const first = runner(
      counter('a', () => new Promise((resolve) => (letGo = resolve))),
      'one',
    );
    await first.step();
    const batch = first.step();
    await eventually(() => letGo !== undefined);
    await eventually(async () => {
      const { rows } = await pool.query('select lease_until < clock_timestamp() as lapsed from projection_checkpoints');
      return rows[0].lapsed;
    });
    const second = runner(counter('a'), 'two');
    expect(await second.step()).toBe(false);
    letGo?.();
    await batch;
    await expectCounted('a');
  });
});

describe('an event that cannot be applied', () => {
  it('stops its projection there, says so, and is tried again', async () => {
    await appendPayments(store, 0, 40);
    const head = await headOf(pool);
    const bad = Math.floor(head / 2);
    let broken = true;
    const seen: bigint[] = [];
    const picky: Projection = {
      ...counter('picky'),
      types: ['PaymentAuthorized', 'RequestDelivered', 'SettlementSubmitted', 'PaymentSettled', 'DeliveryFailed'],
      begin: () => async (client, events) => {
        if (broken && events.some(({ position }) => Number(position) >= bad)) throw new TypeError('no such field');
        await client.query('select 1');
        seen.push(...events.map(({ position }) => position));
      },
    };
    const errors: unknown[] = [];
    const log = { ...silent, error: (...said: unknown[]) => errors.push(said) };
    for (const each of [runner(picky, 'one', log), runner(counter('other'), 'one')]) each.start();
    await caughtUp(pool, ['other']);
    const stopped = await eventually(async () => {
      const row = (await checkpoints(pool)).get('picky');
      return row?.stopped_at ? row : undefined;
    });
    expect(stopped.position).toBe(stopped.stopped_at! - 1);
    expect(stopped.stopped_at).toBeGreaterThanOrEqual(bad);
    expect(stopped.stopped_error).toContain('no such field');
    expect(JSON.stringify(errors)).toContain('projection stopped');
    const metrics = await metricsOf(pool);
    expect(metrics).toContain(`tollbook_projection_stopped{projection="picky"} ${stopped.stopped_at}`);
    expect(metrics).toContain('tollbook_projection_stopped{projection="other"} 0');
    expect(metrics).toContain(`tollbook_projection_lag_events{projection="picky"} ${head - stopped.position}`);
    expect(metrics).toMatch(/tollbook_projection_lag_seconds\{projection="other"\} 0\n/);
    broken = false;
    await caughtUp(pool, ['picky']);
    expect((await checkpoints(pool)).get('picky')).toMatchObject({ stopped_at: null, stopped_error: null });
    expect(seen.length).toBe(new Set(seen).size);
    await expectCounted('other');
  });

  it('is not what a lost connection is', async () => {
    await appendPayments(store, 0, 5);
    let kills = 0;
    const unlucky: Projection = {
      ...counter('a'),
      begin: () => async (client, events) => {
        if (kills++ < 3) await client.query('select pg_terminate_backend(pg_backend_pid())');
        await counter('a').begin()(client, events);
      },
    };
    runner(unlucky, 'one').start();
    await caughtUp(pool, ['a']);
    expect((await checkpoints(pool)).get('a')?.stopped_at).toBeNull();
    await expectCounted('a');
  });
});
