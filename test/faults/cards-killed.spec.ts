import { jest } from '@jest/globals';
import pg from 'pg';
import { withRedis } from '../embedded/support.js';
import { type App, startApp } from '../support/app.js';
import { CardShop } from '../support/card-shop.js';
import { eventually } from '../support/eventually.js';
import { scale } from '../support/long.js';
import { startSibling } from '../support/sibling.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';
import { verify } from './commands.js';

const CUSTOMERS = scale(3, 6);
/** A job whose worker was killed is another worker's after some seconds. */
const LONG_MS = 120_000;

jest.setTimeout(300_000);

let main: App;
let stripe: Stripe;
let account: StripeAccount;
let shop: CardShop;
let pool: pg.Pool;
let customers: string[] = [];
let workers: App[] = [];
let month = 0;

beforeAll(async () => {
  // The engines are the control process's, so that workers can die alone; and nobody hears webhooks.
  [main, stripe] = await Promise.all([startApp({ postgres: 'own', env: { ROLE: 'control' } }), Stripe.start()]);
  account = await stripe.account();
  shop = new CardShop(main, account);
  pool = new pg.Pool({ connectionString: main.engines.postgres, max: 2 });
  pool.on('error', () => undefined);
  workers = await Promise.all([startSibling(main, 'worker'), startSibling(main, 'worker')]);
  await shop.open();
  await shop.takeCards();
  for (let n = 0; n < CUSTOMERS; n++) customers = [...customers, await shop.customer()];
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await pool?.end();
  await main?.stop();
  await stripe?.stop();
});

/** Requests that came and were not answered yet. */
async function waiting(path: string): Promise<number> {
  const { asked } = await account.book();
  return asked.filter((one) => one.path.startsWith(path) && one.status === undefined).length;
}

async function killWorkers(): Promise<void> {
  await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
}

async function startWorkers(): Promise<void> {
  workers = await Promise.all([startSibling(main, 'worker'), startSibling(main, 'worker')]);
}

async function wipe(): Promise<void> {
  await withRedis(main.engines.redis, (redis) => redis.flushall());
}

async function nothing(): Promise<void> {}

/** Everybody's invoice is paid by one charge that took money, and each has one outcome in the log. */
async function expectAllPaidOnce(): Promise<void> {
  for (const customer of customers) {
    await shop.becomes(customer, 'paid', LONG_MS);
    expect(await shop.taken(customer)).toBe(month * Number(CardShop.TOTAL));
    // The list of charges follows the log by itself, and may come to it later than the invoice.
    const states = async () => (await shop.charges(customer)).map(({ attempt, state }) => `${attempt} ${state}`);
    const wanted = Array(month).fill('1 succeeded').join();
    await eventually(async () => (await states()).join() === wanted, LONG_MS);
  }
  const { rows } = await pool.query(
    `select type, count(*)::int as n, count(distinct stream)::int as streams from events
     where type in ('CardChargeSubmitted', 'CardChargeSucceeded', 'CardChargeDeclined') group by type order by type`,
  );
  const each = { n: month * CUSTOMERS, streams: month * CUSTOMERS };
  expect(rows).toEqual([
    { type: 'CardChargeSubmitted', ...each },
    { type: 'CardChargeSucceeded', ...each },
  ]);
  expect(await verify(main.dataDir, ['--only', 'log,invoices,ledger,projections'])).toMatchObject({ failed: [] });
}

it.each([
  ['after the processor was asked, and Redis is emptied', 'POST /v1/payment_intents', 'hold', wipe],
  ['before it was asked', 'GET /v1/payment_methods', 'hold', nothing],
  ['when it was done and nobody was told', 'POST /v1/payment_intents', 'do_then_stall', wipe],
] as const)('workers killed %s charge each card once', async (_when, on, kind, strike) => {
  await shop.use(customers);
  await account.fail(on, ...customers.map(() => kind));
  await shop.endMonth();
  month++;
  const path = on.slice(on.indexOf(' ') + 1);
  await eventually(async () => (await waiting(path)) > 0, LONG_MS);
  await killWorkers();
  await strike();
  await account.order('release');
  await startWorkers();
  await expectAllPaidOnce();
});
