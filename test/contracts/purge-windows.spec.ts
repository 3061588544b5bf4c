import type { Pool, PoolClient } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { decideHolds, lockHolds, storeHolds } from '../../src/base/event-store/hold-totals.js';
import type { HoldRequest } from '../../src/base/event-store/unit-of-work.js';
import { openPool } from '../../src/base/platform/pool.js';
import { purgeWindows } from '../../src/domains/limits/purge-windows.js';
import { freshDatabase } from '../support/engines.js';
import { eventually } from '../support/eventually.js';

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

describe('a window that is over, used again while it is purged', () => {
  const used = { delta: 1n, rolling, expiresAt: NOW };
  const heldUnder = async (key: string) =>
    (await pool.query<{ held: string }>('select held::text from hold_totals where key = $1', [key])).rows[0]?.held;
  const someoneWaits = async () => {
    const { rows } = await pool.query('select from pg_locks where not granted');
    return rows.length > 0;
  };
  let client: PoolClient;

  beforeEach(async () => {
    client = await pool.connect();
    await client.query('begin');
  });
  afterEach(() => client.release(true));

  it('stays, if the request had its row first', async () => {
    const request = { key: 'quota/raced/first', ...used };
    await hold({ ...request, expiresAt: NOW - 2 * DAY });
    const { changed } = decideHolds([[request]], await lockHolds(client, [[request]]));
    await storeHolds(client, changed);
    let purged = false;
    const purge = purgeWindows(pool, NOW).finally(() => {
      purged = true;
    });
    await eventually(async () => purged || someoneWaits());
    await client.query('commit');
    await purge;
    expect(await heldUnder(request.key)).toBe('2');
  });

  it('begins anew, if the purge had its row first', async () => {
    const request = { key: 'quota/raced/second', ...used };
    await hold({ ...request, expiresAt: NOW - 2 * DAY });
    await purgeWindows(client, NOW);
    const admitted = hold(request);
    await eventually(someoneWaits);
    await client.query('commit');
    await admitted;
    expect(await heldUnder(request.key)).toBe('1');
  });
});
