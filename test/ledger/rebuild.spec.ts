import type { Pool } from 'pg';
import { asStored, type StoredEvent } from '../../src/base/event-store/event.js';
import { readEventsAfter } from '../../src/base/event-store/rows.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { rebuildProjection } from '../../src/edges/cli/rebuild-projection.js';
import { generatedLog, insertLog } from '../support/generated-log.js';
import { apply, emptyBook, ledgerRows, newRun, openBook, writeLog } from './support.js';

const PAYMENTS = 150;

let pool: Pool;
let events: readonly StoredEvent[];

beforeAll(async () => {
  pool = await openBook();
  const client = await pool.connect();
  await insertLog(client, generatedLog({ payments: PAYMENTS, payers: 20 }));
  client.release();
  events = await readEventsAfter(pool, 0n, 10_000);
});
afterAll(() => pool?.end());

/** The ledger's rows, made with so many events at once. */
async function rowsMadeBy(size: number): Promise<Record<string, readonly string[]>> {
  await emptyBook(pool);
  await writeLog(pool, events);
  const run = newRun(50);
  for (let from = 0; from < events.length; from += size) await apply(pool, run, events.slice(from, from + size));
  return ledgerRows(pool);
}

describe('the rows of the ledger', () => {
  it('are the same whatever the batches, and rebuilt', async () => {
    const atOnce = await rowsMadeBy(events.length);
    expect(atOnce.ledger_transfers!.length).toBeGreaterThan(4 * PAYMENTS);
    for (const size of [3, 50]) expect(await rowsMadeBy(size)).toEqual(atOnce);

    const signal = AbortSignal.timeout(30_000);
    const request = { upcast: asStored, dryRun: false, signal, onProgress: () => undefined };
    const { comparison, swapped } = await rebuildProjection(pool, ledgerProjection(asStored), request);
    expect(swapped).toBe(true);
    expect(comparison?.equal).toBe(true);
    expect(await ledgerRows(pool)).toEqual(atOnce);
  });

  it('are guarded in the rebuilt tables as in the first ones', async () => {
    await expect(pool.query('delete from ledger_transfers')).rejects.toThrow(/never written by hand/);
    await expect(pool.query('update ledger_accounts set debits_posted = 0')).rejects.toThrow(/never written by hand/);
    await pool.query(
      `insert into ledger_transfers (id, book, debit, credit, amount, phase, code, occurred_at)
       select 1000000, book, debit, credit, 5, 'posted', 'charge', occurred_at from ledger_transfers where id = 16`,
    );
    const { rows } = await pool.query(
      'select sum(debits_posted) - sum(credits_posted) as difference, (select count(*)::int from ledger_transfers where amount = 5) as added from ledger_accounts',
    );
    expect(rows).toEqual([{ difference: '0', added: 1 }]);
  });
});
