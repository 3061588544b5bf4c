import type { CustomerId } from '../../src/domains/customers/account.js';
import { IssueCreditNote } from '../../src/domains/invoicing/credit-note.decide.js';
import { creditNotesProjection } from '../../src/domains/invoicing/credit-notes.projection.js';
import { VoidInvoice } from '../../src/domains/invoicing/invoice.decide.js';
import { ApplyPayment, ReversePayment, WriteOffInvoice } from '../../src/domains/invoicing/money.decide.js';
import { PriceMeter, SetAccountTaxes } from '../../src/domains/invoicing/settings.decide.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { creditKey } from '../../src/domains/limits/credit.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { projectionsCheck } from '../../src/domains/reports/checks/projections.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { runOn } from '../verify/checks.js';

const A: CustomerId = `cus_${'a'.repeat(24)}`;
const WHOSE = [TENANT, A, 1] as const;
const B: CustomerId = `cus_${'b'.repeat(24)}`;
const C: CustomerId = `cus_${'c'.repeat(24)}`;
const ledger = ledgerProjection(upcast);

let book: BilledBook;
beforeAll(async () => {
  book = await BilledBook.open();
  for (const customer of [A, B, C]) await book.account(customer);
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 1 }));
  await book.execute(new SetAccountTaxes(TENANT, B, [{ name: 'VAT', percent: '21' }]));
  for (const customer of [A, B, C]) await book.use(customer, 'tokens', '100');
  book.now = Date.parse('2026-12-01T02:00:00Z');
  for (let n = 0; n < 2; n++) await book.pass([A, B, C]);
});
afterAll(() => book?.close());

/** What the account owes, once the books and the holds agree with the log. */
async function owed(customer = A): Promise<bigint> {
  await book.runToEnd(ledger);
  const { holds, ledger: posted } = await runOn(book.databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
  expect([holds!.differences, posted!.differences]).toEqual([[], []]);
  const { rows } = await book.pool.query('select held::text from hold_totals where key = $1', [
    creditKey(TENANT, customer),
  ]);
  return BigInt(rows[0].held);
}

it('what comes in, goes back and is given up is in the books and in what the account owes', async () => {
  expect(await owed()).toBe(1_000_000n);
  const pay = new ApplyPayment(...WHOSE, 'transfer', 'bank-1', 60n);
  await Promise.all([book.execute(pay), book.execute(pay)]);
  expect(await owed()).toBe(400_000n);
  await book.execute(new ReversePayment(...WHOSE, 'bank-1', 'refunded'));
  expect(await owed()).toBe(1_000_000n);
  await book.execute(new ApplyPayment(...WHOSE, 'transfer', 'bank-2', 25n));
  await book.execute(new WriteOffInvoice(...WHOSE, 'insolvent'));
  expect(await owed()).toBe(0n);
});

it('what goes back of an invoice that is void is owed until it is made void again', async () => {
  const whose = [TENANT, C, 1] as const;
  await book.execute(new ApplyPayment(...whose, 'transfer', 'bank-1', 40n));
  await book.execute(new VoidInvoice(...whose, 'mistaken'));
  expect(await owed(C)).toBe(0n);
  await book.execute(new ReversePayment(...whose, 'bank-1', 'refunded'));
  expect(await owed(C)).toBe(400_000n);
  for (let n = 0; n < 2; n++) await book.execute(new VoidInvoice(...whose, 'mistaken'));
  expect(await owed(C)).toBe(0n);
});

describe('credit notes', () => {
  const note = (of: IssueCreditNote['of'], key: string) =>
    book.execute(new IssueCreditNote(TENANT, B, 1, 'quality', of, book.now, key));
  const codes = async (all: Promise<unknown>[]) =>
    (await Promise.allSettled(all)).map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code)).sort();
  const balances = async () => {
    await book.runToEnd(ledger);
    const { rows } = await book.pool.query(
      `select kind, (credits_posted - debits_posted)::text as balance from ledger_accounts where party = $1`,
      [B],
    );
    return Object.fromEntries(rows.map(({ balance, kind }) => [kind, balance]));
  };

  it('are never of more than the invoice, whoever issues them at once, and what was paid is paid in', async () => {
    expect(await owed(B)).toBe(1_210_000n);
    await book.execute(new ApplyPayment(TENANT, B, 1, 'transfer', 'bank-1', 100n));
    const [{ lines }] = (await book.store.readStream(`invoice/${TENANT}/${B}/1`)).flatMap(({ data, type }) =>
      type === 'InvoiceFinalized' ? [data as never as { lines: { key: string }[] }] : [],
    ) as [{ lines: [{ key: string }] }];
    const of = [{ key: lines[0]!.key, amount: 60n }];
    expect(await codes([note(of, 'one'), note(of, 'two'), note(of, 'one')])).toEqual(
      ['credit_exceeds_invoice', 'done', 'done'].sort(),
    );
    expect(await owed(B)).toBe(1_210_000n - 1_000_000n - 730_000n);
    expect(await balances()).toMatchObject({ customer_receivable: '0', prepaid_balance: '520000' });
  });

  it('take back what is left, and are numbered without a gap', async () => {
    await note('all', 'three');
    expect(await codes([note('all', 'four')])).toEqual(['credit_exceeds_invoice']);
    expect(await balances()).toMatchObject({ customer_receivable: '0', prepaid_balance: '1000000' });
    expect(await owed(B)).toBe(-1_000_000n);
    await book.project();
    const { rows } = await book.pool.query(
      'select number, note, total::text, returned::text from credit_notes order by 1',
    );
    expect(rows).toEqual([
      { number: 1, note: 1, total: '73', returned: '52' },
      { number: 2, note: 2, total: '48', returned: '48' },
    ]);
    const { projections } = await runOn(book.databaseUrl, [projectionsCheck([creditNotesProjection])]);
    expect(projections).toMatchObject({ differences: [], counts: { rows: 2 } });
  });
});
