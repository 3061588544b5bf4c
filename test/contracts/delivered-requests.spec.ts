import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { type DeliveredFilter, readDelivered } from '../../src/domains/reports/simulation.queries.js';
import { upcast } from '../../src/event-catalogue.js';
import { log } from '../settlement/support.js';
import { freshDatabase } from '../support/engines.js';

const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 10, 1);
const GRANTED = { tenant: 'demo', route: 'weather', payer: '0x11', network: 'eip155:1', asset: '0xaa', holds: [] };

let pool: Pool;
let store: EventStore;
let now: number;

beforeAll(async () => {
  pool = openPool(await freshDatabase(), 'test-delivered', 2, log);
  store = new EventStore(pool, () => now, upcast);
});

afterAll(() => pool?.end());

/** A day with more events than a page, of which one request was delivered. */
async function live(day: number): Promise<void> {
  now = FIRST_DAY + day * DAY;
  const other = { type: 'Other', schema: 1, data: {} };
  const filler = Array.from({ length: 2_500 }, () => other);
  await store.append({
    stream: `other/${day}`,
    tenant: 'demo',
    expectedVersion: 0,
    decide: () => ({ events: filler }),
  });
  const events = [
    { type: 'FreeRequestGranted', schema: 3, data: { ...GRANTED, units: `${day}` } },
    { type: 'FreeRequestDelivered', schema: 1, data: {} },
  ];
  const place = { stream: `free-request/free_${day}`, tenant: 'demo', expectedVersion: 0 };
  await store.append({ ...place, decide: () => ({ events }) });
}

async function pagesOf(filter: Omit<DeliveredFilter, 'tenant'>) {
  const pages = [];
  for await (const page of readDelivered(pool, { tenant: 'demo', ...filter }, upcast)) pages.push(page);
  return pages;
}

describe('the delivered requests of a period', () => {
  const second = { from: new Date(FIRST_DAY + DAY), to: new Date(FIRST_DAY + 1.5 * DAY) };

  it('are read from where the period begins in the log to where it ends, and the same when the log has grown', async () => {
    for (let day = 0; day < 3; day++) await live(day);
    const pages = await pagesOf({ ...second, through: 7_506n });
    expect(pages.map(({ position }) => position)).toEqual([4_502n, 7_506n]);
    expect(pages.flatMap(({ delivered }) => delivered)).toMatchObject([
      { at: second.from, request: { route: 'weather', amount: undefined, asset: 'eip155:1/erc20:0xaa' } },
    ]);
    await live(3);
    expect(await pagesOf({ ...second, through: 7_506n })).toEqual(pages);
  });

  it('are none of a period without events', async () => {
    expect(
      await pagesOf({ from: new Date(FIRST_DAY + 9 * DAY), to: new Date(FIRST_DAY + 10 * DAY), through: 1n }),
    ).toEqual([]);
  });
});
