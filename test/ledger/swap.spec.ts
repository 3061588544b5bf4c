import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { asStored } from '../../src/base/event-store/event.js';
import { Rebuild } from '../../src/base/event-store/projections/rebuild.js';
import { readEventsAfter } from '../../src/base/event-store/rows.js';
import { readLedger } from '../../src/domains/ledger/as-of.queries.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { generatedLog, insertLog } from '../support/generated-log.js';
import { apply, newRun, openBook } from './support.js';

/** More than two tries of a swap to get its lock. */
const SWAP_TRIES_MS = 800;

let pool: Pool;

beforeAll(async () => {
  pool = await openBook();
  const client = await pool.connect();
  await insertLog(client, generatedLog({ payments: 20, payers: 5 }));
  client.release();
  await apply(pool, newRun(), await readEventsAfter(pool, 0n, 10_000));
});
afterAll(() => pool?.end());

describe('a reader of the ledger', () => {
  it('sees every transfer up to the position it names, also when rebuilt tables take their place meanwhile', async () => {
    const transfers = 'select count(*)::int as n from ledger_transfers';
    const expected = (await pool.query<{ n: number }>(transfers)).rows[0]!.n;
    let swapped: Promise<void> | undefined;
    const seen = await readLedger(pool, undefined, async ({ client }) => {
      const rebuild = (await Rebuild.begin(pool, ledgerProjection(asStored)))!;
      await rebuild.fill('head');
      swapped = rebuild.swap();
      await Promise.race([swapped, pause(SWAP_TRIES_MS)]);
      return (await client.query<{ n: number }>(transfers)).rows[0]!.n;
    });
    await swapped;
    expect(seen).toBe(expected);
    expect(expected).toBeGreaterThan(0);
  });
});
