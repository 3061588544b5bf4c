import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import fc from 'fast-check';
import { SetBilling } from '../../src/domains/customers/account.decide.js';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { billingProjection } from '../../src/domains/invoicing/billing.projection.js';
import { billingAccounts } from '../../src/domains/invoicing/billing-account.js';
import { VoidInvoice } from '../../src/domains/invoicing/invoice.decide.js';
import type { InvoiceFinalized } from '../../src/domains/invoicing/invoice.js';
import type { InvoiceLine } from '../../src/domains/invoicing/invoice-line.js';
import { invoicesProjection } from '../../src/domains/invoicing/invoices.projection.js';
import { PriceMeter, SetInvoicing } from '../../src/domains/invoicing/settings.decide.js';
import { usualRules } from '../../src/domains/invoicing/settings.js';
import { billablePosition, type CutAccount, lineItems } from '../../src/domains/invoicing/used.queries.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { commitmentsProjection } from '../../src/domains/payments/commitments.projection.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { invoicesCheck } from '../../src/domains/reports/checks/invoices.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { METERS, perUnit, publishMeters } from '../support/billing-meters.js';
import { BillingModel, billOf, type ModelMeter } from '../support/billing-model.js';
import { runs, scale } from '../support/long.js';
import { runOn } from '../verify/checks.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONES = ['UTC', 'America/New_York', 'Pacific/Kiritimati', 'Asia/Kathmandu', 'Pacific/Pago_Pago'];
const ledger = ledgerProjection(upcast);

jest.setTimeout(scale(150_000, 1_200_000));

let book: BilledBook;
let number = 0;
beforeAll(async () => {
  book = await BilledBook.open();
  await publishMeters(book);
});
afterAll(() => book?.close());

const ago = fc.constantFrom(0, 0, 0, HOUR, 3 * DAY, 20 * DAY, 45 * DAY);
const used = fc.record({ kind: fc.constant('use'), meter: fc.nat(METERS.length - 1), n: fc.nat(30), ago });
const happening = fc.oneof(
  { weight: 6, arbitrary: used },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('request'), n: fc.nat(3_000_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('correct'), which: fc.nat(), n: fc.nat(30), ago }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('void usage'), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(HOUR, 2 * HOUR, 6 * DAY, 26 * DAY, 70 * DAY),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('close', 'close', 'race', 'early', 'threshold', 'void invoice') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lag'), which: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('zone'), which: fc.nat(ZONES.length - 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('price'), meter: fc.nat(METERS.length - 1), n: fc.nat(90_000) }),
  },
);
type Happening = Record<'which' | 'n' | 'ago' | 'ms' | 'meter', number> & { readonly kind: string };

/** One account, in the book and in the model. */
class Told {
  readonly customer: CustomerId = `cus_${randomBytes(12).toString('hex')}`;
  private constructor(readonly model: BillingModel) {}

  static async open(timeZone: string): Promise<Told> {
    const one = new Told(new BillingModel(book.now, timeZone));
    await book.account(one.customer, timeZone);
    return one;
  }

  async take(one: Happening): Promise<void> {
    const { customer, model } = this;
    switch (one.kind) {
      case 'use':
        return this.use(METERS[one.meter]!, one.n, one.ago);
      case 'request': {
        const id = await book.request(customer, BigInt(one.n));
        model.requests.push({ id, at: book.now, charged: BigInt(one.n) });
        return;
      }
      case 'correct':
      case 'void usage':
        return this.replace(one);
      case 'wait':
        book.now += one.ms;
        return;
      case 'close':
      case 'early':
        return book.pass([customer], one.kind === 'early');
      case 'race':
        await Promise.all([1, 2].map(() => book.closer.close(TENANT, [customer])));
        return;
      case 'threshold':
        await book.project();
        return book.closer.closeThreshold(TENANT, [customer]);
      case 'lag':
        return book.runToEnd([commitmentsProjection, billingProjection, invoicesProjection][one.which]!);
      case 'void invoice':
        return this.voidNewest();
      case 'zone': {
        const timeZone = ZONES[one.which]!;
        await book.execute(new SetBilling(TENANT, customer, { period: 'month', timeZone }));
        model.zones.push({ timeZone, since: book.now });
        return;
      }
      case 'price': {
        const [{ id }, charge] = [METERS[one.meter]!, perUnit(`${one.n}`)];
        await book.execute(new PriceMeter(TENANT, id, charge, customer));
        model.prices.push({ meter: id, since: book.now, charge });
        return;
      }
    }
  }

  private async use(meter: ModelMeter, n: number, ago: number): Promise<void> {
    const [id, at] = [`e${String(number++).padStart(6, '0')}`, book.now - ago];
    expect(await book.use(this.customer, meter.id, `${n}`, { id, at })).toMatchObject({ result: 'accepted' });
    this.model.events.push({ id, meter, n, at, arrived: book.now, replaced: false });
  }

  private async replace({ ago, kind, n, which }: Happening): Promise<void> {
    const standing = this.model.events.filter(({ replaced }) => !replaced);
    const named = standing[which % standing.length];
    if (!named) return;
    const voids = kind === 'void usage';
    const [id, at] = [`e${String(number++).padStart(6, '0')}`, voids ? book.now : book.now - ago];
    const more = { id, at, replaces: named.id, ...(voids && { type: 'tollbook.usage.voided' }) };
    expect(await book.use(this.customer, named.meter.id, `${n}`, more)).toMatchObject({ result: 'accepted' });
    named.replaced = true;
    if (!voids) this.model.events.push({ ...named, id, n, at, arrived: book.now, replaced: false });
  }

  private async voidNewest(): Promise<void> {
    const newest = (await this.invoices()).at(-1);
    if (newest?.state === 'open') await book.execute(new VoidInvoice(TENANT, this.customer, newest.sequence, 'other'));
  }

  private async invoices(): Promise<{ sequence: number; state: string }[]> {
    const all = (await book.invoices()) as { customer: string; sequence: number; state: string }[];
    return all.filter(({ customer }) => customer === this.customer);
  }

  /** Every line of its invoices, then what is not billed yet, each with what its items are found by. */
  async lines(): Promise<{ line: InvoiceLine; cut: CutAccount; position: string }[]> {
    const account = (await billingAccounts(book.store, TENANT, [this.customer])).get(this.customer)!;
    const found = [];
    for (const { sequence } of await this.invoices()) {
      const events = await book.store.readStream(`invoice/${TENANT}/${this.customer}/${sequence}`);
      const final = events.find(({ type }) => type === 'InvoiceFinalized')?.data as unknown as
        | InvoiceFinalized['data']
        | undefined;
      if (!final) continue;
      const cut = { account, after: final.after, to: final.cut.to };
      found.push(...final.lines.map((line) => ({ line, cut, position: final.cut.position })));
    }
    const position = `${await billablePosition(book.pool)}`;
    const { content, cut } = (await book.closer.upcoming(TENANT, this.customer))!;
    return [...found, ...content.lines.map((line) => ({ line, cut, position }))];
  }
}

/** How often each request and event is on a line, and how often it is taken back. */
async function itemsOf(lines: Awaited<ReturnType<Told['lines']>>): Promise<string[]> {
  const items: string[] = [];
  for (const { cut, line, position } of lines) {
    const page = await lineItems(book.pool, cut, position, line, { after: 0n, limit: 1_000 });
    expect(page).toHaveLength(line.events);
    items.push(...page.map((item) => ('what' in item ? `${item.what} ${item.id}` : item.id)));
  }
  return items.sort();
}

it('bills all that was used once, whatever came late, was corrected, or cut, in any order', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.nat(1), happening), { minLength: 25, maxLength: 60 }),
    fc.constantFrom(0, 3_600, 2_592_000),
    async (happenings, graceSeconds) => {
      await book.execute(new SetInvoicing(TENANT, { ...usualRules, graceSeconds, threshold: '300' }));
      const told = [await Told.open(ZONES[number % ZONES.length]!), await Told.open('UTC')];
      for (const [whose, one] of happenings) await told[whose]!.take(one as Happening);
      book.now += HOUR;
      await book.project();
      for (const { customer, lines, model } of told.map((one) => ({ ...one, lines: one.lines() }))) {
        const all = await lines;
        expect({ customer, bill: billOf(all.map(({ line }) => line)) }).toEqual({
          customer,
          bill: model.bill(book.now),
        });
        const requests = model.requests.map(({ id }) => id);
        const counted = model.events.map(({ id }) => `counted ${id}`);
        const replaced = model.events.filter((one) => one.replaced).map(({ id }) => `replaced ${id}`);
        expect(await itemsOf(all)).toEqual([...requests, ...counted, ...replaced].sort());
      }
    },
  );
  await fc.assert(property, { ...runs(12, 300), endOnFailure: false });
  await book.runToEnd(ledger);
  const found = await runOn(book.databaseUrl, [invoicesCheck, holdsCheck(ledger), ledgerCheck(ledger)]);
  for (const { differences, gaps } of Object.values(found)) expect([differences, gaps]).toEqual([[], []]);
  expect(found.invoices!.counts.invoices).toBeGreaterThan(0);
});
