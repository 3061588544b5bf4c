import { setTimeout as delay } from 'node:timers/promises';
import { jest } from '@jest/globals';
import pg from 'pg';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { AdvanceClock, PriceMeter, SetInvoicing } from '../../src/domains/invoicing/settings.decide.js';
import { usualRules } from '../../src/domains/invoicing/settings.js';
import { withRedis } from '../embedded/support.js';
import { type App, startApp } from '../support/app.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { eventually } from '../support/eventually.js';
import { scale, seeds } from '../support/long.js';
import { startSibling } from '../support/sibling.js';
import { verify } from './commands.js';
import { seeded } from './customer.js';
import { enginePids } from './engine-pids.js';

/** Two jobs of the finder, which close them at the same time. */
const ACCOUNTS = 300;
const LANES = 16;
const HOUR = 3_600_000;
const REQUEST = 1_234_567n;
const customers = Array.from({ length: ACCOUNTS }, (_, n): CustomerId => `cus_${n.toString().padStart(24, '0')}`);

/** A busy machine takes its time; usually a quarter of this is enough. */
jest.setTimeout(scale(180_000, 1_200_000));

let main: App;
let book: BilledBook;
let pool: pg.Pool;
let workers: App[] = [];
/** Of the tenant's clock: the month that runs. */
let month = 0;

const monthsOn = (n: number) => Date.UTC(new Date().getUTCFullYear() + 1, n, 1);

beforeAll(async () => {
  // The engines are the control process's, so that workers can die alone.
  main = await startApp({ postgres: 'own', env: { ROLE: 'control' } });
  pool = new pg.Pool({ connectionString: main.engines.postgres, max: 2 });
  pool.on('error', () => undefined);
  book = BilledBook.at(main.engines.postgres, Date.now);
  await book.execute(new AdvanceClock(TENANT, monthsOn(0)));
  // Nothing is overdue here.
  await book.execute(new SetInvoicing(TENANT, { ...usualRules, dueDays: 365 }));
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 3, prorated: true }));
  await atOnce((customer) => book.account(customer));
  workers = await Promise.all([startSibling(main, 'worker'), startSibling(main, 'worker')]);
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await pool?.end();
  await book?.close();
  await main?.stop();
});

async function atOnce(act: (customer: CustomerId) => Promise<unknown>): Promise<void> {
  const left = [...customers];
  const lane = async () => {
    for (let next = left.pop(); next; next = left.pop()) await act(next);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** How many invoices there are of a kind of event; those that cannot be counted are not there. */
async function countOf(type: string): Promise<number> {
  const text = 'select count(distinct stream)::int as n from events where type = $1';
  const found = await pool.query(text, [type]).catch(() => ({ rows: [] }));
  return found.rows[0]?.n ?? 0;
}

/** Waits until so many more are there, and strikes. */
async function strikeAt(type: string, count: number, strike: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + 60_000;
  while ((await countOf(type)) < count) {
    if (performance.now() > end) throw new Error(`${type}: never ${count}`);
    await delay(2);
  }
  await strike();
}

async function killWorkers(which: readonly number[]): Promise<void> {
  await Promise.all(which.map((index) => workers[index]!.kill('SIGKILL')));
  for (const index of which) workers[index] = await startSibling(main, 'worker');
}

const wipe = () => withRedis(main.engines.redis, (redis) => redis.flushall());
const cut = () =>
  pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`);
const killPostgres = async () => {
  for (const pid of await enginePids(main.dataDir, 'postgres')) process.kill(pid, 'SIGKILL');
  await eventually(() => pool.query('select 1'), 60_000);
};

/** Something is used by everybody, the month ends, its drafts are made, and made final; both times something strikes. */
async function closeMonth(seed: number, whileDrafting: () => Promise<unknown>, whileClosing: () => Promise<unknown>) {
  const done = ACCOUNTS * month;
  await atOnce(async (customer) => {
    await book.request(customer, REQUEST);
    await book.use(customer, 'tokens', '4', { id: `${customer}-${month}` });
  });
  month++;
  await book.execute(new AdvanceClock(TENANT, monthsOn(month) + 1_000));
  await strikeAt('InvoiceDrafted', done + seeded(seed, ACCOUNTS), whileDrafting);
  await eventually(async () => (await countOf('InvoiceDrafted')) === done + ACCOUNTS, 90_000);
  await eventually(() => book.execute(new AdvanceClock(TENANT, monthsOn(month) + 2 * HOUR)), 30_000);
  await strikeAt('InvoiceFinalized', done + seeded(seed + 1, ACCOUNTS), whileClosing);
  await eventually(async () => (await countOf('InvoiceFinalized')) === done + ACCOUNTS, 90_000);
}

/** Every account has one invoice of each month, of all that it used in it; numbers have no gap. */
async function expectAllBilledOnce(): Promise<void> {
  await eventually(async () => {
    const { rows } = await pool.query(
      `select name, position, stopped_error from projection_checkpoints where position < (select max(position) from events)`,
    );
    if (rows.length > 0) throw new Error(JSON.stringify(rows));
    return true;
  }, 30_000);
  const { rows } = await pool.query(
    `select customer, sequence, number, total::text, to_char(period_to at time zone 'UTC', 'YYYY-MM') as until
     from invoices order by number`,
  );
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
  const periods = rows.map(({ customer, sequence, until }) => `${customer} ${sequence} ${until}`);
  const all = customers.flatMap((customer) =>
    Array.from({ length: month }, (_, n) => {
      return `${customer} ${n + 1} ${new Date(monthsOn(n + 1)).toISOString().slice(0, 7)}`;
    }),
  );
  expect(periods.sort()).toEqual(all.sort());
  // 1.234567 and 0.013333… dollars.
  expect(new Set(rows.map(({ total }) => total))).toEqual(new Set(['125']));
}

describe('closing a month', () => {
  it.each(seeds(1, 8))('is not hindered by one worker, then both, being killed (seed %i)', async (seed) => {
    await closeMonth(
      seed,
      () => killWorkers([seed % 2]),
      () => killWorkers([0, 1]),
    );
    await expectAllBilledOnce();
  });

  it.each(seeds(1, 8))('is not hindered by Redis being emptied (seed %i)', async (seed) => {
    await closeMonth(seed, wipe, wipe);
    await expectAllBilledOnce();
  });

  it.each(seeds(1, 8))('is not hindered by connections being cut, and Postgres killed (seed %i)', async (seed) => {
    await closeMonth(seed, cut, killPostgres);
    await expectAllBilledOnce();
  });

  it('leaves invoices that can be reckoned again, and books in order', async () => {
    const names = 'log,usage,invoices,ledger,holds,projections';
    expect(await verify(main.dataDir, ['--only', names])).toMatchObject({ failed: [] });
  });
});
