import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import type { HoldRequest } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import { purgeWindows } from '../../src/domains/limits/purge-windows.js';
import { freshDatabase } from '../support/engines.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 25);
const rolling = { slot: NOW, since: NOW - DAY, forgetBefore: NOW - 2 * DAY };

let pool: Pool;
let store: EventStore;
let streams = 0;

beforeAll(async () => {
  pool = openPool(await freshDatabase(), 'test', 4, { warn: () => undefined });
  store = new EventStore(pool, () => NOW);
});
afterAll(() => pool?.end());

const hold = (request: HoldRequest) => {
  const decide = () => ({ events: [{ type: 'Asked', schema: 1, data: {} }] });
  return store.append({ stream: `asked/${++streams}`, tenant: 't', expectedVersion: 0, holds: [request], decide });
};
const keys = async () =>
  (await pool.query<{ key: string }>('select key from hold_totals order by key')).rows.map(({ key }) => key);

it('windows go a day after they are over, and what has no end stays', async () => {
  await hold({ key: 'exposure/kept', delta: 1n });
  await hold({ key: 'quota/over', delta: 1n, expiresAt: NOW - DAY - 1 });
  await hold({ key: 'quota/just', delta: 1n, expiresAt: NOW - DAY + 1 });
  await hold({ key: 'quota/rolled', delta: 1n, rolling, expiresAt: NOW - 2 * DAY });
  await hold({ key: 'quota/used', delta: 1n, rolling, expiresAt: NOW - 2 * DAY });
  // Used again: its end has moved.
  await hold({ key: 'quota/used', delta: 1n, rolling, expiresAt: NOW });
  expect(await purgeWindows(pool, NOW)).toBe(false);
  expect(await keys()).toEqual(['exposure/kept', 'quota/just', 'quota/used']);
});

it('a window that was purged begins anew, and what is given back to it makes no row', async () => {
  const back = { key: 'quota/gone', delta: -1n };
  await hold(back);
  expect(await keys()).not.toContain('quota/gone');
  const granted = await hold({ key: 'quota/gone', delta: 1n, limit: 1n, hard: true, expiresAt: NOW });
  expect(granted.granted).toMatchObject([{ held: 1n }]);
});

it('purging beside admissions never loses one of them', async () => {
  const key = 'quota/raced';
  const asks = Array.from({ length: 60 }, async (_, n) => {
    if (n % 3 === 0) await purgeWindows(pool, NOW);
    return hold({ key, delta: 1n, rolling, expiresAt: n % 2 === 0 ? NOW - 2 * DAY : NOW });
  });
  await Promise.all(asks);
  const { rows } = await pool.query<{ held: string }>('select held::text from hold_totals where key = $1', [key]);
  // Those before the first that moved the end may be gone with their row; none after it is.
  expect(Number(rows[0]?.held ?? 0)).toBeGreaterThan(0);
});
