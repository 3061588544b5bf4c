import type { InvoiceDecision } from './invoice.decide.js';
import { evolveInvoice, type Invoice, outstandingOf } from './invoice.evolve.js';
import type { InvoiceEvent } from './invoice.js';
import type { InvoiceLine } from './invoice-line.js';
import {
  ApplyPayment,
  decideApply,
  decideReverse,
  decideWriteOff,
  ReversePayment,
  WriteOffInvoice,
} from './money.decide.js';

const WHOSE = ['shop', 'cus_1', 1] as const;
const period = { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' };
const line = (key: string, amount: bigint): InvoiceLine => ({
  ...{ key, kind: 'requests', period, description: key, quantity: '1', unit: 'request', events: 1 },
  ...{ exact: String(amount * 10_000n), amount: String(amount), root: '' },
});
const drafted: InvoiceEvent = {
  type: 'InvoiceDrafted',
  schema: 1,
  data: {
    ...{ tenant: 'shop', customer: 'cus_1', sequence: 1, reason: 'period', period, timeZone: 'UTC' },
    ...{ graceUntil: period.to, currency: 'USD', network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, decimals: 6 },
  },
};

/** Lines of 60.00, 50.00 and -10.00, and 21 % of tax: 121.00. */
function final(lines = [line('a', 6000n), line('b', 5000n), line('c', -1000n)]): Invoice {
  const subtotal = lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const tax = (subtotal * 21n + 50n) / 100n;
  const finalized: InvoiceEvent = {
    type: 'InvoiceFinalized',
    schema: 1,
    data: {
      ...{ cut: { position: '9', to: period.to }, issuedAt: period.to, dueAt: period.to, currency: 'USD', decimals: 6 },
      ...{ scale: '10000', lines, subtotal: String(subtotal), total: String(subtotal + tax), residue: '0' },
      taxes: [{ name: 'VAT', percent: '21', taxable: String(subtotal), amount: String(tax) }],
      ...{ sellerDigest: 's', buyerDigest: 'b' },
    },
  };
  return evolveInvoice(evolveInvoice(undefined, drafted), finalized);
}

const then = (invoice: Invoice, { events }: InvoiceDecision): Invoice =>
  events.reduce<Invoice>((state, event) => evolveInvoice(state, event), invoice);
const owedLess = ({ holds = [] }: InvoiceDecision) => -holds.reduce((sum, { delta }) => sum + delta, 0n);
const apply = (invoice: Invoice, amount: bigint, reference = 'r1', source: ApplyPayment['source'] = 'card') =>
  decideApply(invoice, new ApplyPayment(...WHOSE, source, reference, amount));
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a payment of an invoice', () => {
  it('is applied once, and pays it when nothing is left', () => {
    const first = apply(final(), 2100n);
    const open = then(final(), first);
    expect([open.state, outstandingOf(open), owedLess(first)]).toEqual(['partially_paid', 10_000n, 21_000_000n]);
    expect(apply(open, 2100n).events).toEqual([]);
    expect(then(open, apply(open, 10_000n, 'r2')).state).toBe('paid');
  });

  it('from the prepaid balance changes nothing of what is owed: it was paid in before', () => {
    expect(owedLess(apply(final(), 100n, 'r1', 'prepaid'))).toBe(0n);
  });

  it('is never more than what is outstanding', () => {
    expect(code(() => apply(final(), 12_101n))).toBe('payment_exceeds_invoice');
  });

  it('that is gone again is owed again, once, and never applied again', () => {
    const paid = then(final(), apply(final(), 12_100n));
    const command = new ReversePayment(...WHOSE, 'r1', 'disputed');
    const reversed = decideReverse(paid, command);
    const open = then(paid, reversed);
    expect([open.state, outstandingOf(open), owedLess(reversed)]).toEqual(['open', 12_100n, -121_000_000n]);
    expect(decideReverse(open, command).events).toEqual([]);
    expect(apply(open, 12_100n).events).toEqual([]);
  });

  it('is for an invoice that is final and not void', () => {
    const draft = evolveInvoice(undefined, drafted);
    const voided = evolveInvoice(final(), {
      type: 'InvoiceVoided',
      schema: 1,
      data: { reason: 'other', cancelled: '12100' },
    });
    expect(code(() => decideApply(undefined, new ApplyPayment(...WHOSE, 'card', 'r', 1n)))).toBe('unknown_invoice');
    expect(code(() => apply(draft, 1n))).toBe('invoice_not_final');
    expect(code(() => apply(voided, 1n))).toBe('invoice_void');
  });
});

describe('a write-off', () => {
  const command = new WriteOffInvoice(...WHOSE, 'insolvent');

  it('is of all that is outstanding, once', () => {
    const partly = then(final(), apply(final(), 2100n));
    const decision = decideWriteOff(partly, command);
    const gone = then(partly, decision);
    expect([gone.state, outstandingOf(gone), owedLess(decision)]).toEqual(['uncollectible', 0n, 100_000_000n]);
    expect(decideWriteOff(gone, command).events).toEqual([]);
  });

  it('of what is paid is none', () => {
    const paid = then(final(), apply(final(), 12_100n));
    expect(code(() => decideWriteOff(paid, command))).toBe('invoice_not_open');
  });
});
