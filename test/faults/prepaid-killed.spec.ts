import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { evolveInvoice, type Invoice, paidOf } from '../../src/domains/invoicing/invoice.evolve.js';
import { type InvoiceEvent, invoiceStream } from '../../src/domains/invoicing/invoice.js';
import { type App, startApp } from '../support/app.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { eventually } from '../support/eventually.js';
import { finalInvoice } from '../support/final-invoice.js';
import { scale, seeds } from '../support/long.js';
import { startSibling } from '../support/sibling.js';
import { TopUps } from '../support/top-up-events.js';
import { verify } from './commands.js';
import { seeded } from './customer.js';

const ACCOUNTS = 5;
const INVOICES = 3;
const CENT = 10_000n;

jest.setTimeout(scale(150_000, 900_000));

let app: App;
let book: BilledBook;

beforeAll(async () => {
  app = await startApp();
  book = BilledBook.at(app.engines.postgres);
});
afterAll(async () => {
  await book?.close();
  await app?.stop();
});

/** What stands of the payments of an account's invoices, in cents. */
async function paid(customer: CustomerId): Promise<bigint> {
  let sum = 0n;
  for (let sequence = 1; sequence <= INVOICES; sequence++) {
    const events = await book.store.readStream(invoiceStream(TENANT, customer, sequence));
    sum += paidOf((events as unknown as InvoiceEvent[]).reduce<Invoice | undefined>(evolveInvoice, undefined)!);
  }
  return sum;
}

it('a balance is used once, and all of it, by two workers of which one is killed at any moment', async () => {
  const topUps = new TopUps(book.store, TENANT);
  for (const seed of seeds(2, 10)) {
    const customers = Array.from({ length: ACCOUNTS }, (): CustomerId => `cus_${randomBytes(12).toString('hex')}`);
    for (const customer of customers)
      for (let sequence = 1; sequence <= INVOICES; sequence++) await finalInvoice(book, customer, sequence, 100n);
    const worker = await startSibling(app, 'worker');
    const killed = delay(seeded(seed, 2_000)).then(() => worker.kill('SIGKILL'));
    for (const amount of [30n, 80n, 45n, 90n]) {
      const payments = await Promise.all(customers.map((customer) => topUps.pay(customer, amount * CENT)));
      // One that is gone again takes back what it paid for.
      if (amount === 80n) await topUps.revert(payments[0]!);
    }
    await killed;
    await worker.stop();
    for (const [at, customer] of customers.entries())
      await eventually(async () => (await paid(customer)) === (at === 0 ? 165n : 245n), 30_000);
  }
  expect(await verify(app.dataDir, ['--only', 'ledger,holds'])).toMatchObject({ failed: [] });
});
