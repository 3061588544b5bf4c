import type { CustomerId } from '../../src/domains/customers/account.js';
import { VoidInvoice } from '../../src/domains/invoicing/invoice.decide.js';
import type { InvoiceFinalized } from '../../src/domains/invoicing/invoice.js';
import {
  AdvanceClock,
  PriceMeter,
  SetAccountTaxes,
  SetInvoicing,
} from '../../src/domains/invoicing/settings.decide.js';
import { usualRules } from '../../src/domains/invoicing/settings.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { invoicesCheck } from '../../src/domains/reports/checks/invoices.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { runOn } from '../verify/checks.js';

const A: CustomerId = `cus_${'a'.repeat(24)}`;
const B: CustomerId = `cus_${'b'.repeat(24)}`;
const ledger = ledgerProjection(upcast);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let book: BilledBook;
beforeEach(async () => {
  book = await BilledBook.open();
  await book.account(A);
  await book.meter('tokens');
  await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 1 }));
});
afterEach(() => book.close());

/** What the ledger has, and that the checks agree with it and with what accounts owe. */
async function balances(): Promise<Record<string, string>> {
  await book.runToEnd(ledger);
  const checks = await runOn(book.databaseUrl, [holdsCheck(ledger), ledgerCheck(ledger)]);
  expect([checks.holds!.differences, checks.ledger!.differences]).toEqual([[], []]);
  const { rows } = await book.pool.query<{ kind: string; sum: string }>(
    'select kind, sum(debits_posted - credits_posted)::text as sum from ledger_accounts group by kind order by kind',
  );
  return Object.fromEntries(rows.map(({ kind, sum }) => [kind, sum]));
}

const at = (text: string) => {
  book.now = Date.parse(text);
};

async function finalOf(customer: string, sequence: number): Promise<InvoiceFinalized['data']> {
  const events = await book.store.readStream(`invoice/${TENANT}/${customer}/${sequence}`);
  return events.find(({ type }) => type === 'InvoiceFinalized')!.data as unknown as InvoiceFinalized['data'];
}

async function owed(customer: string): Promise<bigint> {
  const { rows } = await book.pool.query('select held::text from hold_totals where key = $1', [
    `credit/${TENANT}/${customer}`,
  ]);
  return BigInt(rows[0]?.held ?? 0);
}

describe('closing a period', () => {
  it('makes a draft when the month is over, and an invoice of it after the grace, with what came late', async () => {
    await book.request(A, 1_500_000n);
    await book.use(A, 'tokens', '100');
    await book.pass([A]);
    expect(await book.invoices()).toEqual([]);
    at('2026-12-01T00:00:01Z');
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ sequence: 1, state: 'draft', number: null }]);
    await book.use(A, 'tokens', '50', { at: Date.parse('2026-11-30T23:00:00Z') });
    await book.request(A, 900_000n);
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ state: 'draft' }]);
    at('2026-12-01T01:00:00Z');
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ state: 'open', number: 1, total: '300' }]);
    const { lines } = await finalOf(A, 1);
    expect(lines.map(({ amount, kind, quantity }) => [kind, quantity, amount])).toEqual([
      ['requests', '1', '150'],
      ['usage', '150', '150'],
    ]);
    // The request of December is not on it; usage is owed since the invoice, requests since they were delivered.
    expect(await owed(A)).toBe(1_500_000n + 900_000n + 1_500_000n);
  });

  it('bills what comes after the cut on the next invoice, as a line of its own period', async () => {
    await book.use(A, 'tokens', '100', { id: 'first' });
    at('2026-12-01T02:00:00Z');
    await book.pass([A]);
    await book.pass([A]);
    await book.use(A, 'tokens', '30', { at: Date.parse('2026-11-20T00:00:00Z') });
    await book.use(A, 'tokens', '60', { id: 'fix', replaces: 'first', at: Date.parse('2026-11-10T12:00:00Z') });
    await book.use(A, 'tokens', '500');
    at('2027-01-02T00:00:00Z');
    await book.pass([A]);
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ total: '100' }, { sequence: 2, number: 2, total: '490' }]);
    const { lines } = await finalOf(A, 2);
    expect(lines.map(({ events, period, quantity }) => [period.from.slice(0, 7), quantity, events])).toEqual([
      ['2026-11', '-10', 3],
      ['2026-12', '500', 1],
    ]);
  });

  it('makes no invoice of nothing or less: it stands on the next', async () => {
    await book.use(A, 'tokens', '100', { id: 'first' });
    at('2026-12-01T02:00:00Z');
    await book.pass([A]);
    await book.pass([A]);
    await book.use(A, 'tokens', '0', { type: 'tollbook.usage.voided', replaces: 'first' });
    at('2027-01-02T00:00:00Z');
    await book.pass([A]);
    await book.pass([A]);
    expect(await book.invoices()).toHaveLength(1);
    await book.use(A, 'tokens', '150');
    at('2027-02-02T00:00:00Z');
    await book.pass([A]);
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ total: '100' }, { total: '50' }]);
  });

  it('bills month by month when several are over, and an override and taxes of one account alone', async () => {
    await book.account(B);
    await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '20000', per: 1 }, B));
    await book.execute(new SetAccountTaxes(TENANT, B, [{ name: 'VAT', percent: '21' }]));
    for (const month of ['2026-12', '2027-01']) {
      at(`${month}-10T00:00:00Z`);
      for (const customer of [A, B]) await book.use(customer, 'tokens', '7');
    }
    at('2027-02-02T00:00:00Z');
    for (let n = 0; n < 5; n++) await book.pass([A, B]);
    const totals = (await book.invoices()).map(({ customer, sequence, total }) => [
      (customer as string)[4],
      sequence,
      total,
    ]);
    expect(totals).toEqual([
      ['a', 1, '7'],
      ['a', 2, '7'],
      ['b', 1, '17'],
      ['b', 2, '17'],
    ]);
  });

  it('two workers at once make each invoice once, and numbers have no gap', async () => {
    const customers = Array.from({ length: 20 }, (_, n): CustomerId => `cus_${n.toString().padStart(24, '0')}`);
    for (const one of customers) await book.account(one);
    for (const one of customers) await book.use(one, 'tokens', '5');
    at('2026-12-02T00:00:00Z');
    for (let n = 0; n < 3; n++) {
      await book.project();
      await Promise.all([1, 2].map(() => book.closer.close(TENANT, customers)));
    }
    await book.project();
    const numbers = (await book.invoices()).map(({ number }) => number as number).sort((a, b) => a - b);
    expect(numbers).toEqual(customers.map((_, n) => n + 1));
  });

  it('ends the grace early, and voids: nothing of it is owed or billed again', async () => {
    await book.use(A, 'tokens', '100');
    at('2026-12-01T00:00:01Z');
    await book.pass([A]);
    await book.pass([A], true);
    expect(await book.invoices()).toMatchObject([{ state: 'open' }]);
    expect(await owed(A)).toBe(1_000_000n);
    await book.execute(new VoidInvoice(TENANT, A, 1, 'mistaken'));
    await book.execute(new VoidInvoice(TENANT, A, 1, 'mistaken'));
    expect(await owed(A)).toBe(0n);
    at('2027-01-02T00:00:00Z');
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ state: 'void' }]);
  });
});

describe('a threshold', () => {
  it('has what is not billed invoiced at once, and the rest of the month at its end', async () => {
    await book.execute(new SetInvoicing(TENANT, { ...usualRules, threshold: '100' }));
    const look = async () => {
      await book.project();
      await book.closer.closeThreshold(TENANT, [A]);
      await book.pass([A]);
    };
    await book.use(A, 'tokens', '99');
    await look();
    expect(await book.invoices()).toEqual([]);
    await book.request(A, 70_000n);
    book.now += HOUR;
    await look();
    expect(await book.invoices()).toMatchObject([{ state: 'open', total: '106' }]);
    await book.use(A, 'tokens', '40');
    await look();
    at('2026-12-01T02:00:00Z');
    await book.pass([A]);
    await book.pass([A]);
    expect(await book.invoices()).toMatchObject([{ total: '106' }, { sequence: 2, total: '40', state: 'open' }]);
  });
});

describe('the check of invoices', () => {
  it('reckons each again to the byte, whatever came later, and finds what was changed beside it', async () => {
    await book.use(A, 'tokens', '100', { id: 'first' });
    await book.request(A, 70_000n);
    for (const month of ['2026-12', '2027-01']) {
      at(`${month}-01T02:00:00Z`);
      await book.pass([A]);
      await book.pass([A]);
      await book.use(A, 'tokens', '25', { replaces: 'first', at: Date.parse('2026-11-10T12:00:00Z') });
      await book.use(A, 'tokens', '400');
    }
    await book.execute(new PriceMeter(TENANT, 'tokens', { model: 'flat', amount: '5' }));
    await book.execute(new SetAccountTaxes(TENANT, A, [{ name: 'VAT', percent: '21' }]));
    await book.project();
    const found = async () => (await runOn(book.databaseUrl, [invoicesCheck])).invoices!;
    expect(await found()).toMatchObject({ counts: { invoices: 2, lines: 4 }, differences: [], gaps: [] });
    await book.pool.query(`update commitments set charged = charged + 1`);
    await book.pool.query(`update invoice_parties set buyer = '{}'`);
    expect((await found()).differences.map(({ what }) => what).sort()).toEqual([
      ...['content of an invoice', 'parties of an invoice', 'parties of an invoice'],
    ]);
  });
});

describe('the ledger', () => {
  it('has what an invoice says, to the atomic unit, and what becomes of it', async () => {
    await book.execute(
      new PriceMeter(TENANT, 'tokens', { model: 'per_unit', amount: '10000', per: 3, prorated: true }, A),
    );
    await book.execute(new SetAccountTaxes(TENANT, A, [{ name: 'VAT', percent: '21' }]));
    at('2026-12-10T00:00:00Z');
    await book.request(A, 1_503_000n);
    await book.use(A, 'tokens', '100');
    at('2027-01-02T00:00:00Z');
    for (let n = 0; n < 3; n++) await book.pass([A]);
    // 1.503 and 0.333333… dollars are 1.84, and 0.39 taxes.
    expect(await finalOf(A, 1)).toMatchObject({ subtotal: '184', total: '223', residue: '11000/3' });
    const final = {
      customer_receivable: '2230000',
      unbilled: '0',
      revenue: '-1836333',
      tax_payable: '-390000',
      rounding: '-3667',
    };
    expect(await balances()).toEqual(final);
    await append('InvoicePaymentApplied', { source: 'card', reference: 'ch_1', amount: '50' }, 500_000n);
    await append('InvoicePaymentApplied', { source: 'transfer', reference: 'line', amount: '20' }, 200_000n);
    await append('InvoicePaymentReversed', { reference: 'line', reason: 'mistaken' }, -200_000n);
    const taxes = [{ name: 'VAT', percent: '21', taxable: '10', amount: '2' }];
    const note = {
      note: 1,
      reason: 'quality',
      issuedAt: '2027-01-02T00:00:00.000Z',
      lines: [],
      subtotal: '10',
      taxes,
      total: '12',
      returned: '0',
    };
    await append('CreditNoteIssued', note, 120_000n);
    expect(await balances()).toMatchObject({
      customer_receivable: '1610000',
      card_clearing: '500000',
      bank: '0',
      refunds: '100000',
    });
    await book.execute(new VoidInvoice(TENANT, A, 1, 'mistaken'));
    expect(await balances()).toMatchObject({ customer_receivable: '0', refunds: '1430000', tax_payable: '-90000' });
  });
});

/** @param paid atomic units that the account owes less */
async function append(type: string, data: object, paid: bigint): Promise<void> {
  const stream = `invoice/${TENANT}/${A}/1`;
  const expectedVersion = (await book.store.readStream(stream)).length;
  const holds = [{ key: `credit/${TENANT}/${A}`, delta: -paid, signed: true }];
  await book.store.append({
    stream,
    tenant: TENANT,
    expectedVersion,
    holds,
    decide: () => ({ events: [{ type, schema: 1, data }] }),
  });
}

describe("a tenant's clock", () => {
  it('goes forward only, and not for who has accounts by the real one', async () => {
    await expect(book.execute(new AdvanceClock(TENANT, book.now + DAY))).rejects.toMatchObject({
      code: 'clock_is_real',
    });
    await book.execute(new AdvanceClock('trial', book.now + DAY));
    await expect(book.execute(new AdvanceClock('trial', book.now))).rejects.toMatchObject({ code: 'clock_goes_back' });
  });
});
