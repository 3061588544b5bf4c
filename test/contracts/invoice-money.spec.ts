import type { CustomerId } from '../../src/domains/customers/account.js';
import { ApplyPayment, ReversePayment, WriteOffInvoice } from '../../src/domains/invoicing/money.decide.js';
import { PriceMeter } from '../../src/domains/invoicing/settings.decide.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { creditKey } from '../../src/domains/limits/credit.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { runOn } from '../verify/checks.js';

const A: CustomerId = `cus_${'a'.repeat(24)}`;
const WHOSE = [TENANT, A, 1] as const;
const ledger = ledgerProjection(upcast);

let book: BilledBook;
beforeAll(async () => {
  book = await BilledBook.open();
  await book.account(A);
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 1 }));
  await book.use(A, 'tokens', '100');
  book.now = Date.parse('2026-12-01T02:00:00Z');
  await book.pass([A]);
  await book.pass([A]);
});
afterAll(() => book?.close());

/** What the account owes, once the books and the holds agree with the log. */
async function owed(): Promise<bigint> {
  await book.runToEnd(ledger);
  const { holds, ledger: posted } = await runOn(book.databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
  expect([holds!.differences, posted!.differences]).toEqual([[], []]);
  const { rows } = await book.pool.query('select held::text from hold_totals where key = $1', [creditKey(TENANT, A)]);
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
