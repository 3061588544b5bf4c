import type { Pool } from 'pg';
import { asStored } from '../../src/base/event-store/event.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { type Projection, ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import type { Logger } from '../../src/base/platform/logger.js';
import { openPool } from '../../src/base/platform/pool.js';
import { usageProjection } from '../../src/domains/metering/usage.projection.js';
import type { PaymentAuthorized } from '../../src/domains/payments/payment.js';
import { paymentsProjection } from '../../src/domains/payments/payments.projection.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { paymentEvents } from '../support/payment-events.js';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const PAYMENTS = 60;
const DELIVERED = paymentEvents(1).events.find(({ type }) => type === 'RequestDelivered')!;
const usage = usageProjection(asStored);
const payments = paymentsProjection(asStored);

let pool: Pool;
let tail: LogTail;
let store: EventStore;

beforeAll(async () => {
  const url = await freshDatabase();
  pool = openPool(url, 'test', 10, silent);
  tail = new LogTail(url, silent);
  await tail.start();
  store = new EventStore(pool, () => Date.UTC(2026, 10, 23, 12));
});

afterAll(async () => {
  await tail.stop();
  await pool.end();
});

async function run(projection: Projection): Promise<void> {
  const runner = new ProjectionRunner(pool, tail, projection, silent);
  while (await runner.step());
}

async function rowsOf(table: string, order: string): Promise<unknown[]> {
  const { rows } = await pool.query(`select * from ${table} order by ${order}`);
  return rows;
}

describe('projections', () => {
  it('are the same live, with several runners at once, and rebuilt', async () => {
    const runners = [payments, payments, usage, usage].map(
      (projection) => new ProjectionRunner(pool, tail, projection, silent),
    );
    for (const runner of runners) runner.start();
    for (let n = 0; n < PAYMENTS; n++) {
      const { events, stream } = paymentEvents(n);
      for (const [version, event] of events.entries()) {
        await store.append({ stream, tenant: 'demo', expectedVersion: version, decide: () => ({ events: [event] }) });
      }
    }
    const head = (await store.readAfter(0n, 100_000)).at(-1)!.position;
    await eventually(async () => {
      const { rows } = await pool.query('select count(*)::int as n from projection_checkpoints where position = $1', [
        head,
      ]);
      return rows[0].n === 2;
    }, 20_000);
    await Promise.all(runners.map((runner) => runner.stop()));
    const live = { payments: await rowsOf('payments', 'id'), usage: await rowsOf('usage_days', 'route, payer') };
    expect(live.payments).toHaveLength(PAYMENTS);

    const delivered = Array.from({ length: PAYMENTS }, (_, n) => paymentEvents(n)).filter(({ events }) =>
      events.some((event) => event.type === 'RequestDelivered'),
    );
    const { rows } = await pool.query('select sum(requests)::int as requests from usage_days');
    expect(rows[0].requests).toBe(delivered.length);

    await run({ ...payments, version: payments.version + 1 });
    await run({ ...usage, version: usage.version + 1 });
    expect(await rowsOf('payments', 'id')).toEqual(live.payments);
    expect(await rowsOf('usage_days', 'route, payer')).toEqual(live.usage);
  });

  it('are not stopped by the largest amounts of a token and the largest counts of a tariff, day after day', async () => {
    const count = 12;
    const [most, units] = [2n ** 256n - 1n, 10n ** 18n];
    for (let n = 0; n < count; n++) {
      const { events, stream } = paymentEvents(5 * n);
      const authorized = events[0] as PaymentAuthorized;
      const terms = { ...authorized.data.terms, amount: String(most) };
      const data = { ...authorized.data, tenant: 'big', route: 'r', units: String(units), terms };
      const large = [{ ...authorized, data }, DELIVERED];
      const write = { tenant: 'big', expectedVersion: 0, decide: () => ({ events: large }) };
      await store.append({ ...write, stream: `${stream}-big` });
    }
    await run({ ...usage, version: usage.version + 1 });
    const { rows } = await pool.query("select units::text, amount::text from usage_days where tenant = 'big'");
    expect(rows).toEqual([{ units: String(12n * units), amount: String(12n * most) }]);
  });
});
