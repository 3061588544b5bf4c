import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { VoidInvoice } from '../../src/domains/invoicing/invoice.decide.js';
import { evolveInvoice, type Invoice, outstandingOf } from '../../src/domains/invoicing/invoice.evolve.js';
import { type InvoiceEvent, invoiceStream } from '../../src/domains/invoicing/invoice.js';
import { invoicesProjection } from '../../src/domains/invoicing/invoices.projection.js';
import { ApplyPayment, ReversePayment } from '../../src/domains/invoicing/money.decide.js';
import {
  evolvePrepaid,
  noApplications,
  type PrepaidEvent,
  prepaidStream,
} from '../../src/domains/invoicing/prepaid.js';
import { type PrepaidRow, PrepaidWorker } from '../../src/domains/invoicing/prepaid.worker.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { readPrepaid } from '../../src/domains/ledger/prepaid.queries.js';
import { owedBy } from '../../src/domains/limits/credit.queries.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { finalInvoice } from '../support/final-invoice.js';
import { runs, scale } from '../support/long.js';
import { TopUps } from '../support/top-up-events.js';
import { runOn } from '../verify/checks.js';

/** Atomic units in a cent. */
const SCALE = 10_000n;
const ledger = ledgerProjection(upcast);

jest.setTimeout(scale(120_000, 900_000));

let book: BilledBook;
let topUps: TopUps;

beforeAll(async () => {
  book = await BilledBook.open();
  topUps = new TopUps(book.store, TENANT);
});
afterAll(() => book?.close());

const newCustomer = (): CustomerId => `cus_${randomBytes(12).toString('hex')}`;

const invoice = (customer: CustomerId, sequence: number, total: bigint) =>
  finalInvoice(book, customer, sequence, total);

async function foldInvoice(customer: CustomerId, sequence: number): Promise<Invoice> {
  const events = await book.store.readStream(invoiceStream(TENANT, customer, sequence));
  return (events as unknown as InvoiceEvent[]).reduce<Invoice | undefined>(evolveInvoice, undefined)!;
}

async function applications(customer: CustomerId) {
  const events = await book.store.readStream(prepaidStream(TENANT, customer));
  return (events as unknown as PrepaidEvent[]).reduce(evolvePrepaid, noApplications);
}

/** Of one account, whatever others there are. */
const read = async (customer: CustomerId) =>
  (await readPrepaid(book.pool, ['', ''], 10_000)).filter((row) => row.customer === customer);
const workerOn = (rows: () => Promise<PrepaidRow[]>) =>
  new PrepaidWorker(rows, (command) => book.execute(command) as Promise<boolean>);
const project = async () => {
  for (const one of [invoicesProjection, ledger]) await book.runToEnd(one);
};

/** Works until there is nothing more to do. */
async function settle(customer: CustomerId): Promise<void> {
  const worker = workerOn(() => read(customer));
  for (let before = -1; ; ) {
    await project();
    await worker.step();
    const { length } = await book.store.readStream(prepaidStream(TENANT, customer));
    if (length === before) return;
    before = length;
  }
}

const states = async (customer: CustomerId, count: number) =>
  Promise.all(Array.from({ length: count }, async (_, at) => (await foldInvoice(customer, at + 1)).state));

describe('prepaid balance', () => {
  it('pays the oldest invoice first, and what is left the next, to the cent', async () => {
    const customer = newCustomer();
    for (const [at, total] of [300n, 200n, 100n].entries()) await invoice(customer, at + 1, total);
    await topUps.pay(customer, 4_009_999n);
    await settle(customer);
    expect(await states(customer, 3)).toEqual(['paid', 'partially_paid', 'open']);
    expect(outstandingOf(await foldInvoice(customer, 2))).toBe(100n);
    await topUps.pay(customer, 1n);
    await settle(customer);
    expect(outstandingOf(await foldInvoice(customer, 2))).toBe(99n);
  });

  it('that has gone again pays less: the newest invoice is open again, and partly paid by what is left', async () => {
    const customer = newCustomer();
    await invoice(customer, 1, 300n);
    await invoice(customer, 2, 200n);
    const first = await topUps.pay(customer, 3_000_000n);
    await topUps.pay(customer, 2_000_000n);
    await settle(customer);
    expect(await states(customer, 2)).toEqual(['paid', 'paid']);
    await topUps.refund(first, 500_000n);
    await settle(customer);
    expect(await states(customer, 2)).toEqual(['paid', 'partially_paid']);
    expect(outstandingOf(await foldInvoice(customer, 2))).toBe(50n);
    expect(await owedBy(book.pool, TENANT, customer)).toBe(500_000n);
  });

  it('stays with an invoice that is void, and is below zero then, until more is paid in', async () => {
    const customer = newCustomer();
    await invoice(customer, 1, 300n);
    const payment = await topUps.pay(customer, 1_000_000n);
    await settle(customer);
    await book.execute(new VoidInvoice(TENANT, customer, 1, 'mistaken'));
    await topUps.revert(payment);
    await settle(customer);
    expect(await applications(customer)).toHaveLength(1);
    expect(await owedBy(book.pool, TENANT, customer)).toBe(1_000_000n);
    await invoice(customer, 2, 100n);
    await topUps.pay(customer, 1_500_000n);
    await settle(customer);
    expect(outstandingOf(await foldInvoice(customer, 2))).toBe(50n);
  });

  it('is used once by many workers, and by none that read it before another invoice was opened again', async () => {
    const customer = newCustomer();
    await invoice(customer, 1, 100n);
    await invoice(customer, 2, 100n);
    await book.execute(new ApplyPayment(TENANT, customer, 1, 'transfer', 'bank-1', 100n));
    await topUps.pay(customer, 1_000_000n);
    await project();
    const old = await read(customer);
    expect(old).toMatchObject([{ open: { sequence: 2 } }]);
    await book.execute(new ReversePayment(TENANT, customer, 1, 'bank-1', 'mistaken'));
    await project();
    const now = await read(customer);
    expect(now).toMatchObject([{ open: { sequence: 1 } }]);
    await workerOn(async () => now).step();
    await Promise.all([old, now, old, now].map((rows) => workerOn(async () => rows).step()));
    expect(await states(customer, 2)).toEqual(['paid', 'open']);
    expect(await applications(customer)).toHaveLength(1);
  });

  it('is not read while the ledger lacks one of its applications', async () => {
    const customer = newCustomer();
    await invoice(customer, 1, 100n);
    await invoice(customer, 2, 100n);
    await topUps.pay(customer, 1_000_000n);
    await project();
    await workerOn(() => read(customer)).step();
    await book.runToEnd(invoicesProjection);
    expect(await read(customer)).toEqual([]);
    await book.runToEnd(ledger);
    expect(await read(customer)).toEqual([]);
    expect(await states(customer, 2)).toEqual(['paid', 'open']);
  });

  const cents = fc.integer({ min: 1, max: 400 }).map(BigInt);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('topUp' as const), amount: fc.bigInt(1n, 4_000_000n) }),
    fc.record({ kind: fc.constant('invoice' as const), amount: cents }),
    fc.record({ kind: fc.constantFrom('revert' as const, 'refund' as const), which: fc.nat(5) }),
    fc.record({ kind: fc.constantFrom('transfer' as const, 'unpay' as const, 'void' as const), which: fc.nat(5) }),
    fc.record({ kind: fc.constantFrom('ledger' as const, 'invoices' as const, 'read' as const, 'write' as const) }),
    fc.record({ kind: fc.constantFrom('work' as const) }),
  );

  it('is never used for more than was paid in, whatever happens in which order, and all of it in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
        const customer = newCustomer();
        const payments: { id: PaymentId; amount: bigint; left: bigint; gone: boolean }[] = [];
        let invoices = 0;
        let earlier: PrepaidRow[] = [];
        for (const one of steps) {
          switch (one.kind) {
            case 'topUp':
              payments.push({
                id: await topUps.pay(customer, one.amount),
                amount: one.amount,
                left: one.amount,
                gone: false,
              });
              break;
            case 'invoice':
              await invoice(customer, ++invoices, one.amount);
              break;
            case 'revert':
            case 'refund': {
              const payment = payments[one.which % payments.length];
              if (!payment || payment.gone || payment.left === 0n) break;
              const taken = one.kind === 'revert' ? payment.amount : (payment.left + 1n) / 2n;
              if (one.kind === 'refund') await topUps.refund(payment.id, taken);
              else await topUps.revert(payment.id);
              // What was sent back is gone, too, if the block of the payment is.
              Object.assign(payment, { left: payment.left - taken, gone: one.kind === 'revert' });
              break;
            }
            case 'transfer':
            case 'unpay':
            case 'void': {
              if (invoices === 0) break;
              const place = [TENANT, customer, 1 + (one.which % invoices)] as const;
              if (one.kind === 'unpay') await book.execute(new ReversePayment(...place, 'bank', 'mistaken'));
              const { state } = await foldInvoice(customer, place[2]);
              if (state === 'void' || state === 'paid') break;
              if (one.kind === 'transfer') await book.execute(new ApplyPayment(...place, 'transfer', 'bank', 1n));
              if (one.kind === 'void') await book.execute(new VoidInvoice(...place, 'other'));
              break;
            }
            case 'ledger':
              await book.runToEnd(ledger);
              break;
            case 'invoices':
              await book.runToEnd(invoicesProjection);
              break;
            case 'read':
              earlier = await read(customer);
              break;
            case 'write':
              await workerOn(async () => earlier).step();
              break;
            case 'work':
              await Promise.all([read, read].map((rows) => workerOn(() => rows(customer)).step()));
          }
        }
        await settle(customer);
        const paidIn = payments.reduce((sum, { left }) => sum + left, 0n);
        const used = (await applications(customer)).reduce((sum, { amount }) => sum + BigInt(amount) * SCALE, 0n);
        const all = await Promise.all(Array.from({ length: invoices }, (_, at) => foldInvoice(customer, at + 1)));
        const applied = all.flatMap((one) => [...one.applied.values()].filter(({ source }) => source === 'prepaid'));
        expect(applied.reduce((sum, { amount }) => sum + BigInt(amount) * SCALE, 0n)).toBe(used);
        const ofVoid = all.filter(({ state }) => state === 'void').flatMap((one) => [...one.applied.values()]);
        // What is below zero stands with void invoices alone; what is above zero is too little, or nothing is open.
        if (used > paidIn) expect(ofVoid.filter(({ source }) => source === 'prepaid').length).toBe(applied.length);
        const isOpen = all.some(({ state }) => state === 'open' || state === 'partially_paid');
        if (isOpen) expect(paidIn - used < SCALE).toBe(true);
      }),
      runs(12, 150),
    );
    const { holds, ledger: posted } = await runOn(book.databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
    expect([holds!.differences, posted!.differences]).toEqual([[], []]);
    const { rows } = await book.pool.query(
      `select h.key from hold_totals h full join (
         select party, sum(debits_posted - credits_posted) as owed
         from ledger_accounts where kind in ('prepaid_balance', 'customer_receivable', 'unbilled') and party like 'cus\\_%' group by party) a
         on h.key = 'credit/' || $1 || '/' || a.party
       where h.key like 'credit/%' and coalesce(h.held, 0) <> coalesce(a.owed, 0)`,
      [TENANT],
    );
    expect(rows).toEqual([]);
  });
});
