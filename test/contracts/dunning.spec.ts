import type { CustomerId } from '../../src/domains/customers/account.js';
import { Dunning } from '../../src/domains/invoicing/dunning.js';
import { VoidInvoice } from '../../src/domains/invoicing/invoice.decide.js';
import { ApplyPayment, ReversePayment } from '../../src/domains/invoicing/money.decide.js';
import { PriceMeter } from '../../src/domains/invoicing/settings.decide.js';
import { BilledBook, TENANT } from '../support/billed.js';

const A: CustomerId = `cus_${'a'.repeat(24)}`;
const DAY = 86_400_000;

let book: BilledBook;
let issuedAt: number;

/** What a worker does that began just now. */
const turn = async (workers = 1) => {
  await book.project();
  const rulesOf = (tenant: string) => book.closer.rulesOf(tenant);
  const all = Array.from({ length: workers }, () => {
    return new Dunning(book.pool, book.clock, rulesOf, (command) => book.execute(command));
  });
  for (let round = 0; round < 2; round++) {
    await Promise.all(all.map((one) => one.step()));
    await book.project();
  }
};

/** Types of the events of a stream, but for the first ones. */
async function since(stream: string, version: number): Promise<string[]> {
  return (await book.store.readStream(stream)).slice(version).map(({ type }) => type);
}
const invoice = `invoice/${TENANT}/${A}/1`;
const suspended = async () =>
  (await book.pool.query('select suspended from accounts where customer = $1', [A])).rows[0].suspended;

beforeEach(async () => {
  book = await BilledBook.open();
  await book.account(A);
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 1 }));
  await book.use(A, 'tokens', '100');
  book.now = issuedAt = Date.parse('2026-12-01T02:00:00Z');
  await book.pass([A]);
  await book.pass([A]);
});
afterEach(() => book.close());

it('an invoice that is not paid is overdue and reminded of, once, by however many workers; its customer may not pay later', async () => {
  book.now = issuedAt + 14 * DAY - 1;
  await turn(3);
  expect([await since(invoice, 2), await suspended()]).toEqual([[], null]);
  book.now = issuedAt + 14 * DAY;
  await turn(3);
  expect([await since(invoice, 2), await suspended()]).toEqual([['InvoiceBecameOverdue'], 'overdue']);
  book.now = issuedAt + 18 * DAY;
  await turn(3);
  book.now = issuedAt + 60 * DAY;
  await turn(3);
  expect(await since(invoice, 3)).toEqual(['DunningNoticeSent', 'DunningNoticeSent']);
});

it('the customer may pay later again when nothing is overdue any more', async () => {
  book.now = issuedAt + 20 * DAY;
  await turn();
  expect(await suspended()).toBe('overdue');
  await book.execute(new VoidInvoice(TENANT, A, 1, 'mistaken'));
  await turn();
  expect(await suspended()).toBeNull();
  const events = await since(`account/${TENANT}/${A}`, 1);
  expect(events).toEqual(['AccountSuspended', 'AccountResumed']);
});

it('an invoice that was paid and is unpaid again is overdue again, though nobody looked in between', async () => {
  const rulesOf = (tenant: string) => book.closer.rulesOf(tenant);
  const worker = new Dunning(book.pool, book.clock, rulesOf, (command) => book.execute(command));
  book.now = issuedAt + 60 * DAY;
  await worker.step();
  await book.project();
  await book.execute(new ApplyPayment(TENANT, A, 1, 'transfer', 'bank-1', 100n));
  await book.execute(new ReversePayment(TENANT, A, 1, 'bank-1', 'refunded'));
  await book.project();
  await worker.step();
  const last = (await since(invoice, 2)).slice(-3);
  expect(last).toEqual(['InvoicePaymentApplied', 'InvoicePaymentReversed', 'InvoiceBecameOverdue']);
});
