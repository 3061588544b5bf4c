import type { CustomerId } from '../../src/domains/customers/account.js';
import { outstandingOf } from '../../src/domains/invoicing/invoice.evolve.js';
import { ApplyPayment } from '../../src/domains/invoicing/money.decide.js';
import { holdsCheck } from '../../src/domains/reports/checks/holds.check.js';
import { ledgerCheck } from '../../src/domains/reports/checks/ledger.check.js';
import { RequestCardRefund } from '../../src/domains/settlement/cards/card-charge.decide.js';
import { cardRefundIdOf } from '../../src/domains/settlement/cards/card-charge.js';
import { BilledBook, TENANT } from '../support/billed.js';
import { CardedBook } from '../support/carded.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';
import { newCard } from '../support/stripe-charges.js';
import { runOn } from '../verify/checks.js';

const A: CustomerId = `cus_${'a'.repeat(24)}`;

let stripe: Stripe;
let account: StripeAccount;
let book: BilledBook;
let cards: CardedBook;

beforeAll(async () => {
  stripe = await Stripe.start();
});

afterAll(async () => {
  await stripe?.stop();
});

beforeEach(async () => {
  account = await stripe.account();
  book = await BilledBook.open();
  cards = await CardedBook.open(book, account, 1_000);
});

afterEach(async () => {
  await cards.stop();
  await book.close();
});

/** What the books have, which `verify` reckons again from the events. */
async function balances(): Promise<Record<string, string>> {
  await book.runToEnd(cards.ledger);
  const checks = await runOn(book.databaseUrl, [holdsCheck(cards.ledger), ledgerCheck(cards.ledger)]);
  expect([checks.holds!.differences, checks.ledger!.differences]).toEqual([[], []]);
  const { rows } = await book.pool.query<{ kind: string; sum: string }>(
    'select kind, sum(debits_posted - credits_posted)::text as sum from ledger_accounts group by kind order by kind',
  );
  return Object.fromEntries(rows.map(({ kind, sum }) => [kind, sum]));
}

async function pay(): Promise<string> {
  await cards.invoice(A, await newCard(account));
  await cards.ask();
  const charge = cards.chargeId(A);
  await cards.desk.carry(TENANT, charge);
  await cards.settle();
  return charge;
}

describe('an invoice whose account pays by card', () => {
  it('is charged once and paid, however often anybody looks', async () => {
    const charge = await pay();
    for (let n = 0; n < 2; n++) {
      await cards.ask();
      expect(await cards.desk.carry(TENANT, charge)).toBe('done');
      expect(await cards.desk.heard(TENANT, charge)).toBe('done');
      await cards.settle();
    }
    expect(await account.taken()).toMatchObject([{ amount: 1503 }]);
    expect(await cards.eventsOf(charge)).toEqual([
      ...['CardChargeRequested', 'CardChargeSubmitted', 'CardChargeSucceeded', 'CardFeeTaken'],
    ]);
    const { state, applied } = await cards.invoiceOf(A);
    expect([state, [...applied.values()]]).toEqual(['paid', [{ source: 'card', reference: charge, amount: '1503' }]]);
    const [{ fee } = { fee: 0 }] = (await account.book()).movements;
    expect(await balances()).toMatchObject({
      ...{ card_clearing: '0', customer_receivable: '0', processor_fees: `${fee * 10_000}` },
      processor_balance: `${(1503 - fee) * 10_000}`,
    });
  });

  it('is asked for again after a reminder, or with another card, and not otherwise', async () => {
    const decline = { kind: 'decline', code: 'card_declined', decline_code: 'insufficient_funds' } as const;
    await cards.invoice(A, await newCard(account, decline, decline, { kind: 'succeed' }));
    await cards.ask();
    await cards.desk.carry(TENANT, cards.chargeId(A));
    await cards.ask();
    await cards.ask();
    expect(await cards.eventsOf(cards.chargeId(A, 2))).toEqual([]);
    expect((await cards.eventsOf(cards.chargeId(A))).at(-1)).toBe('CardChargeDeclined');
    await cards.remind(A);
    await cards.ask();
    expect(await cards.eventsOf(cards.chargeId(A, 2))).toEqual(['CardChargeRequested']);
    await cards.desk.carry(TENANT, cards.chargeId(A, 2));
    await cards.ask();
    expect(await cards.eventsOf(cards.chargeId(A, 3))).toEqual([]);
  });

  it('gives back what it does not need', async () => {
    await cards.invoice(A, await newCard(account));
    await cards.ask();
    await book.execute(new ApplyPayment(TENANT, A, 1, 'transfer', 'line', 1000n));
    const charge = cards.chargeId(A);
    await cards.desk.carry(TENANT, charge);
    await cards.settle();
    await cards.settle();
    expect(outstandingOf(await cards.invoiceOf(A))).toBe(0n);
    expect(await cards.desk.carry(TENANT, charge)).toBe('done');
    expect((await account.book()).refunds).toMatchObject([{ amount: 1000 }]);
    const left = await balances();
    expect(left).toMatchObject({ card_clearing: '0', bank: '10000000' });
    expect(left).not.toHaveProperty('refunds');
  });

  it('stays paid when part of the charge is given back', async () => {
    const charge = await pay();
    const refund = cardRefundIdOf(TENANT, charge, 'requested k');
    await book.execute(new RequestCardRefund(TENANT, charge, refund, 500n, 'requested'));
    await cards.desk.carry(TENANT, charge);
    await cards.desk.carry(TENANT, charge);
    expect((await account.book()).refunds).toMatchObject([{ amount: 500 }]);
    expect(await balances()).toMatchObject({ card_clearing: '0', refunds: '5000000' });
    expect((await cards.invoiceOf(A)).state).toBe('paid');
  });

  it.each(['won', 'lost'] as const)('is open again when the charge is disputed, and it is %s', async (status) => {
    const charge = await pay();
    const { processorId } = (await cards.desk.load(TENANT, charge))!;
    const { id } = await account.order('open_dispute', { intent: processorId! });
    expect(await cards.desk.heard(TENANT, charge)).toBe('open');
    await cards.settle();
    expect((await cards.invoiceOf(A)).state).toBe('open');
    expect(await balances()).toMatchObject({ card_clearing: '0', customer_receivable: '15030000' });
    await account.order('close_dispute', { dispute: id, status });
    expect(await cards.desk.carry(TENANT, charge)).toBe('done');
    await cards.settle();
    await cards.ask();
    expect((await cards.invoiceOf(A)).state).toBe(status === 'won' ? 'paid' : 'open');
    expect(await balances()).toMatchObject({
      ...{ card_clearing: '0', customer_receivable: status === 'won' ? '0' : '15030000' },
    });
    expect(await cards.eventsOf(cards.chargeId(A, 2))).toEqual([]);
  });

  it('hears the end of a dispute once, even if its beginning is told again', async () => {
    const charge = await pay();
    const { processorId } = (await cards.desk.load(TENANT, charge))!;
    const { id } = await account.order('open_dispute', { intent: processorId! });
    await account.order('close_dispute', { dispute: id, status: 'won' });
    await cards.desk.heard(TENANT, charge);
    await cards.settle();
    // Everything is told again, as after a crash before the checkpoint moved.
    await book.pool.query(`update projection_checkpoints set position = 0 where name = 'card-collection'`);
    await cards.settle();
    expect((await cards.invoiceOf(A)).state).toBe('paid');
    expect(await balances()).toMatchObject({ card_clearing: '0', customer_receivable: '0' });
  });
});

describe('a processor that does not answer', () => {
  it.each(['do_then_break_off', 'do_then_fail', 'do_then_stall', 'break_off', 'fail', 'rate_limit'] as const)(
    'leaves a charge unknown, and it is made once: %s',
    async (kind) => {
      await cards.invoice(A, await newCard(account));
      await cards.ask();
      const charge = cards.chargeId(A);
      await account.fail('POST /v1/payment_intents', kind);
      expect(await cards.desk.carry(TENANT, charge)).toBe('unknown');
      expect(await cards.eventsOf(charge)).toEqual(['CardChargeRequested', 'CardChargeSubmitted']);
      await cards.desk.carry(TENANT, charge);
      await account.order('forget_keys');
      await cards.desk.carry(TENANT, charge);
      await cards.settle();
      const taken = await account.taken(charge);
      // A failure that the processor keeps for its key stays so until the key is forgotten.
      expect([taken.length, (await cards.invoiceOf(A)).state]).toEqual([1, 'paid']);
    },
  );

  it('is asked by two processes at once, and charges once', async () => {
    await cards.invoice(A, await newCard(account));
    await cards.ask();
    const charge = cards.chargeId(A);
    const others = [1, 2, 3].map(() => CardedBook.at(book));
    await Promise.all(others.map((one) => one.desk.carry(TENANT, charge)));
    await cards.desk.carry(TENANT, charge);
    await Promise.all(others.map((one) => one.settle()));
    await Promise.all(others.map((one) => one.stop()));
    expect(await account.taken(charge)).toHaveLength(1);
    expect((await cards.eventsOf(charge)).filter((type) => type === 'CardChargeSucceeded')).toHaveLength(1);
    expect((await cards.invoiceOf(A)).state).toBe('paid');
  });
});
