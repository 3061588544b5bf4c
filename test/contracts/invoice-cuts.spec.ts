import type { CustomerId } from '../../src/domains/customers/account.js';
import { Closer } from '../../src/domains/invoicing/closer.js';
import type { InvoiceFinalized } from '../../src/domains/invoicing/invoice.js';
import { PriceMeter, SetInvoicing } from '../../src/domains/invoicing/settings.decide.js';
import { usualRules } from '../../src/domains/invoicing/settings.js';
import { caughtUp } from '../../src/domains/invoicing/used.queries.js';
import { BilledBook, TENANT } from '../support/billed.js';

const A: CustomerId = `cus_${'a'.repeat(24)}`;
const charge = { model: 'per_unit', amount: '10000', per: 1 } as const;

let book: BilledBook;
beforeEach(async () => {
  book = await BilledBook.open();
  await book.account(A);
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', charge));
});
afterEach(() => book.close());

const at = (text: string) => {
  book.now = Date.parse(text);
};

async function finalOf(sequence: number): Promise<InvoiceFinalized['data']> {
  const events = await book.store.readStream(`invoice/${TENANT}/${A}/${sequence}`);
  return events.find(({ type }) => type === 'InvoiceFinalized')!.data as unknown as InvoiceFinalized['data'];
}

/** A worker that others overtake when it has read up to where everything is. */
function stoppedAfterPosition(others: () => Promise<unknown>): Closer {
  let stopped = false;
  const query = async (text: never, values: never) => {
    const result = await book.pool.query(text, values);
    if (!stopped && String(text).includes('projection_checkpoints')) {
      stopped = true;
      await others();
    }
    return result;
  };
  return new Closer({ query } as never, book.store, book.clock, (command) => book.execute(command));
}

it('usage that counts in the month of its arrival is billed there alone, though its own month was closed later', async () => {
  await book.meter('arrived', { late: { kind: 'next_invoice' } });
  await book.execute(new PriceMeter(TENANT, 'arrived', charge));
  await book.use(A, 'arrived', '100');
  at('2027-01-10T00:00:00Z');
  await book.use(A, 'arrived', '30', { at: Date.parse('2026-11-20T00:00:00Z') });
  at('2027-02-02T00:00:00Z');
  for (let n = 0; n < 5; n++) await book.pass([A]);
  expect(await book.invoices()).toMatchObject([{ total: '100' }, { total: '30' }]);
  expect((await finalOf(2)).lines.map(({ period }) => period.from.slice(0, 7))).toEqual(['2027-01']);
});

it('cuts are in order, also of a worker that stood still while another one closed a month and drafted the next', async () => {
  await book.use(A, 'tokens', '5');
  at('2026-12-02T00:00:00Z');
  await book.use(A, 'tokens', '3');
  await book.pass([A]);
  const others = async () => {
    await book.pass([A]);
    await book.use(A, 'tokens', '7');
    at('2027-01-02T00:00:00Z');
    await book.pass([A]);
  };
  await stoppedAfterPosition(others).close(TENANT, [A]);
  for (let n = 0; n < 2; n++) await book.pass([A]);
  expect(await book.invoices()).toMatchObject([{ total: '5' }, { total: '10' }]);
  const [one, two] = [await finalOf(1), await finalOf(2)];
  expect(two.after).toEqual(one.cut);
  expect(Number(two.cut.position)).toBeGreaterThan(Number(one.cut.position));
});

it('a month that was closed is billed again for what came late, or was taken back, alone', async () => {
  await book.use(A, 'tokens', '100', { id: 'first' });
  at('2026-12-02T00:00:00Z');
  for (let n = 0; n < 2; n++) await book.pass([A]);
  await book.use(A, 'tokens', '30', { at: Date.parse('2026-11-20T00:00:00Z') });
  at('2027-01-02T00:00:00Z');
  for (let n = 0; n < 2; n++) await book.pass([A]);
  await book.use(A, 'tokens', '500');
  await book.use(A, 'tokens', '0', { type: 'tollbook.usage.voided', replaces: 'first' });
  at('2027-02-02T00:00:00Z');
  for (let n = 0; n < 2; n++) await book.pass([A]);
  expect(await book.invoices()).toMatchObject([{ total: '100' }, { total: '30' }, { total: '400' }]);
  expect((await finalOf(3)).lines.map(({ period }) => period.from.slice(0, 7))).toEqual(['2026-11', '2027-01']);
});

it('what counts in the month of its arrival is in the total of that month, whatever month it is from', async () => {
  const tiers = [{ upTo: 10, amount: '10000' }, { amount: '20000' }];
  await book.meter('arrived', { late: { kind: 'next_invoice' } });
  await book.execute(new PriceMeter(TENANT, 'arrived', { model: 'graduated', tiers }));
  await book.execute(new SetInvoicing(TENANT, { ...usualRules, threshold: '5' }));
  await book.use(A, 'tokens', '1');
  at('2026-12-02T00:00:00Z');
  for (let n = 0; n < 2; n++) await book.pass([A]);
  await book.use(A, 'arrived', '10', { at: Date.parse('2026-11-20T00:00:00Z') });
  await book.project();
  await book.closer.closeThreshold(TENANT, [A]);
  await book.pass([A]);
  await book.use(A, 'arrived', '10');
  at('2027-01-02T00:00:00Z');
  for (let n = 0; n < 2; n++) await book.pass([A]);
  expect(await book.invoices()).toMatchObject([{ total: '1' }, { total: '10' }, { total: '20' }]);
});

it('what is not known yet is not taken for nothing', async () => {
  await book.project();
  expect(await caughtUp(book.pool, 0)).toBe(true);
  await book.use(A, 'tokens', '5');
  expect(await caughtUp(book.pool, 0)).toBe(false);
  const waiting = caughtUp(book.pool, 60_000);
  await book.project();
  expect(await waiting).toBe(true);
});
