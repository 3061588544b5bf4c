import type { Pool } from 'pg';
import { apply, authorization, emptyBook, ledgerRows, newRun, openBook, placed, writeLog } from './support.js';

const payer = `0x${'1'.repeat(40)}`;
const columns = 'id, book, debit, credit, amount, phase, resolves, code, occurred_at';

let pool: Pool;

/** Two books. The first has a charge of 700 that was posted (16, 32), one that was voided (48, 64), and a pending one (80). */
const events = placed(
  ['demo', 'demo', 'demo', 'other'].flatMap((tenant, index) => {
    const stream = `payment/pay_${index}`;
    const begun = { stream, tenant, version: 1, type: 'PaymentAuthorized', data: authorization(payer, 700n, true) };
    const next = ['RequestDelivered', 'DeliveryFailed'][index];
    return next === undefined ? [begun] : [begun, { stream, tenant, version: 2, type: next, data: {} }];
  }),
);

beforeAll(async () => {
  pool = await openBook();
});
beforeEach(async () => {
  await emptyBook(pool);
  await writeLog(pool, events);
  await apply(pool, newRun(), events);
});
afterAll(() => pool?.end());

function add(...rows: string[]): Promise<unknown> {
  return pool.query(`insert into ledger_transfers (${columns}) values ${rows.map((row) => `(${row})`).join(', ')}`);
}

describe('the database', () => {
  it.each([
    'update ledger_transfers set amount = 1',
    'delete from ledger_transfers',
    'truncate ledger_transfers',
    "update ledger_books set tenant = 'other'",
    'delete from ledger_books',
    'update ledger_accounts set debits_posted = 0',
    "update ledger_accounts set kind = 'wallet'",
    'delete from ledger_accounts',
    'truncate ledger_accounts',
    "insert into ledger_activity values (1, '2026-11-20', 9, 0, 0, 0, 0)",
    'update ledger_activity set credits_posted = 1',
    'delete from ledger_activity',
    'truncate ledger_activity',
    'truncate ledger_books, ledger_accounts, ledger_transfers, ledger_activity',
  ])('refuses: %s', async (sql) => {
    const before = await ledgerRows(pool);
    await expect(pool.query(sql)).rejects.toThrow(/never written by hand/);
    expect(await ledgerRows(pool)).toEqual(before);
  });

  const at = "'2026-11-20T12:00:00Z'";
  it.each([
    ['an account of another book', `1000, 1, 1, 3, 5, 'posted', null, 'charge', ${at}`, /not in the book/],
    [
      'both accounts of another book',
      `1000, 2, 1, 2, 5, 'posted', null, 'charge', ${at}`,
      /not in the book|a second time/,
    ],
    ['an account that is not there', `1000, 1, 1, 99, 5, 'posted', null, 'charge', ${at}`, /not in the book/],
    ['one account on both sides', `1000, 1, 1, 1, 5, 'posted', null, 'charge', ${at}`, /sides_check/],
    ['an amount below zero', `1000, 1, 1, 2, -5, 'posted', null, 'charge', ${at}`, /amount_check/],
    ['a phase that is none', `1000, 1, 1, 2, 5, 'maybe', null, 'charge', ${at}`, /phase_check/],
    ['a post of nothing', `1000, 1, 1, 2, 5, 'post', null, 'charge', ${at}`, /resolves_check/],
    ['a posted transfer that resolves', `1000, 1, 1, 2, 5, 'posted', 80, 'charge', ${at}`, /resolves_check/],
    ['a post of what is not there', `1000, 1, 1, 2, 700, 'post', 999, 'charge', ${at}`, /no such pending/],
    ['a void of what was never pending', `1000, 1, 1, 2, 700, 'void', 32, 'charge', ${at}`, /no such pending/],
    ['a post of another amount', `1000, 1, 1, 2, 701, 'post', 80, 'charge', ${at}`, /no such pending/],
    ['a post of other accounts', `1000, 1, 2, 1, 700, 'post', 80, 'charge', ${at}`, /no such pending/],
    ['a second post', `1000, 1, 1, 2, 700, 'post', 16, 'charge', ${at}`, /resolves_key/],
    ['a post of what was voided', `1000, 1, 1, 2, 700, 'post', 48, 'charge', ${at}`, /resolves_key/],
    ['a void of what comes later', `79, 1, 1, 2, 700, 'void', 80, 'charge', ${at}`, /no such pending/],
    ['an id twice', `80, 1, 1, 2, 700, 'pending', null, 'charge', ${at}`, /ledger_transfers_pkey/],
  ])('refuses %s, and moves nothing', async (_what, row, message) => {
    const before = await ledgerRows(pool);
    // A good one beside it in the same statement does not get through either.
    await expect(add(`2000, 1, 1, 2, 1, 'posted', null, 'charge', ${at}`, row)).rejects.toThrow(message);
    expect(await ledgerRows(pool)).toEqual(before);
  });

  it('refuses an account that begins with something', async () => {
    await expect(pool.query("insert into ledger_accounts values (9, 1, 'wallet', '', 5, 0, 0, 0)")).rejects.toThrow(
      /does not begin with nothing/,
    );
  });

  it('takes a hold and its end in one statement, whoever writes them, and moves the sums', async () => {
    await add(
      `1600, 1, 1, 2, 5, 'pending', null, 'charge', ${at}`,
      `1601, 1, 1, 2, 5, 'post', 1600, 'charge', ${at}`,
      `1602, 1, 1, 2, 700, 'void', 80, 'charge', ${at}`,
    );
    const { rows } = await pool.query(
      'select id, debits_posted::int, credits_posted::int, debits_pending::int, credits_pending::int from ledger_accounts where book = 1 order by id',
    );
    expect(rows).toEqual([
      { id: 1, debits_posted: 705, credits_posted: 0, debits_pending: 0, credits_pending: 0 },
      { id: 2, debits_posted: 0, credits_posted: 705, debits_pending: 0, credits_pending: 0 },
    ]);
  });
});

describe('events that were posted', () => {
  it('are posted once, though two processes apply them at the same time', async () => {
    const once = await ledgerRows(pool);
    await emptyBook(pool);
    await writeLog(pool, events);
    const both = await Promise.allSettled([apply(pool, newRun(), events), apply(pool, newRun(), events)]);
    expect(both.map(({ status }) => status)).toContain('fulfilled');
    expect(await ledgerRows(pool)).toEqual(once);
  });

  it('cannot be posted differently', async () => {
    const before = await ledgerRows(pool);
    const changed = events.map((event, index) =>
      index === 0 ? { ...event, data: authorization(payer, 701n, true) } : event,
    );
    await expect(apply(pool, newRun(), changed.slice(0, 1))).rejects.toThrow('transfer 16 was posted before');
    expect(await ledgerRows(pool)).toEqual(before);
  });
});
