import fc from 'fast-check';
import { type Credited, decideCreditNote, IssueCreditNote } from './credit-note.decide.js';
import type { InvoiceDecision } from './invoice.decide.js';
import { creditedOf, evolveInvoice, type Invoice, outstandingOf, paidOf, returnedOf } from './invoice.evolve.js';
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

const next = (invoice: Invoice, { events }: InvoiceDecision): Invoice =>
  events.reduce<Invoice>((state, event) => evolveInvoice(state, event), invoice);
const owedLess = ({ holds = [] }: InvoiceDecision) => -holds.reduce((sum, { delta }) => sum + delta, 0n);
const apply = (invoice: Invoice, amount: bigint, reference = 'r1', source: ApplyPayment['source'] = 'card') =>
  decideApply(invoice, new ApplyPayment(...WHOSE, source, reference, amount));
const credit = (invoice: Invoice, of: readonly Credited[] | 'all', key = `k${invoice.notes.length}`) =>
  decideCreditNote(invoice, new IssueCreditNote(...WHOSE, 'quality', of, 0, key));
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
    const open = next(final(), first);
    expect([open.state, outstandingOf(open), owedLess(first)]).toEqual(['partially_paid', 10_000n, 21_000_000n]);
    expect(apply(open, 2100n).events).toEqual([]);
    expect(next(open, apply(open, 10_000n, 'r2')).state).toBe('paid');
  });

  it('from the prepaid balance changes nothing of what is owed: it was paid in before', () => {
    expect(owedLess(apply(final(), 100n, 'r1', 'prepaid'))).toBe(0n);
  });

  it('is never more than what is outstanding', () => {
    expect(code(() => apply(final(), 12_101n))).toBe('payment_exceeds_invoice');
  });

  it('that is gone again is owed again, once, and never applied again', () => {
    const paid = next(final(), apply(final(), 12_100n));
    const command = new ReversePayment(...WHOSE, 'r1', 'disputed');
    const reversed = decideReverse(paid, command);
    const open = next(paid, reversed);
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
    const paid = next(final(), apply(final(), 100n, 'bank-1', 'transfer'));
    expect(apply(paid, 100n, 'bank-1', 'transfer').events).toEqual([]);
    expect(code(() => apply(paid, 10n, 'bank-1', 'transfer'))).toBe('payment_reference_reused');
    expect(code(() => apply(draft, 1n))).toBe('invoice_not_final');
    expect(code(() => apply(voided, 1n))).toBe('invoice_void');
  });
});

describe('a write-off', () => {
  const command = new WriteOffInvoice(...WHOSE, 'insolvent');

  it('is of all that is outstanding, once', () => {
    const partly = next(final(), apply(final(), 2100n));
    const decision = decideWriteOff(partly, command);
    const gone = next(partly, decision);
    expect([gone.state, outstandingOf(gone), owedLess(decision)]).toEqual(['uncollectible', 0n, 100_000_000n]);
    expect(decideWriteOff(gone, command).events).toEqual([]);
  });

  it('of what is paid is none', () => {
    const paid = next(final(), apply(final(), 12_100n));
    expect(code(() => decideWriteOff(paid, command))).toBe('invoice_not_open');
  });
});

describe('a credit note', () => {
  it('of part of a line takes its taxes with it', () => {
    const decision = credit(final(), [{ key: 'a', amount: 1000n }]);
    const [event] = decision.events as [Extract<InvoiceEvent, { type: 'CreditNoteIssued' }>];
    expect(event.data).toMatchObject({ note: 1, subtotal: '1000', total: '1210', returned: '0' });
    expect(event.data.taxes).toEqual([{ name: 'VAT', percent: '21', taxable: '1000', amount: '210' }]);
    expect(owedLess(decision)).toBe(12_100_000n);
    expect(outstandingOf(next(final(), decision))).toBe(10_890n);
  });

  it('of the whole leaves nothing; what was paid is returned', () => {
    const partly = next(final(), apply(final(), 2100n));
    const gone = next(partly, credit(partly, 'all'));
    expect([outstandingOf(gone), returnedOf(gone), gone.notes[0]!.total]).toEqual([0n, 2100n, '12100']);
    expect(code(() => credit(gone, 'all'))).toBe('credit_exceeds_invoice');
  });

  it('is never of more than what is left of the line or the invoice', () => {
    expect(code(() => credit(final(), [{ key: 'a', amount: 6001n }]))).toBe('credit_exceeds_invoice');
    expect(code(() => credit(final(), [{ key: 'c', amount: 1n }]))).toBe('credit_exceeds_invoice');
    const both = [
      { key: 'a', amount: 6000n },
      { key: 'b', amount: 5000n },
    ];
    expect(code(() => credit(final(), both))).toBe('credit_exceeds_invoice');
    expect(code(() => credit(final(), [{ key: 'x', amount: 1n }]))).toBe('invalid_request');
  });

  it('is issued once under the same key', () => {
    const part = [{ key: 'a', amount: 1n }];
    const once = next(final(), credit(final(), part, 'k'));
    expect(credit(once, part, 'k').events).toEqual([]);
    expect(credit(once, part, 'other').events).toHaveLength(1);
  });

  it('of a line without an amount is of what is left of it', () => {
    const once = next(final(), credit(final(), [{ key: 'a', amount: 5000n }]));
    const rest = next(once, credit(once, [{ key: 'a' }]));
    expect(rest.notes[1]!.lines).toEqual([{ key: 'a', description: 'a', amount: '1000' }]);
    expect(code(() => credit(rest, [{ key: 'a' }]))).toBe('credit_exceeds_invoice');
    expect(code(() => credit(final(), [{ key: 'c' }]))).toBe('credit_exceeds_invoice');
  });

  it('names a line once', () => {
    const twice = [
      { key: 'a', amount: 1n },
      { key: 'a', amount: 6000n },
    ];
    expect(code(() => credit(final(), twice))).toBe('invalid_request');
  });

  it('whatever is paid, credited, reversed or given up: nothing is below zero, and what is owed follows', () => {
    const step = fc.record({
      kind: fc.constantFrom('pay', 'prepaid', 'reverse', 'credit', 'all', 'write_off'),
      amount: fc.bigInt(1n, 7000n),
      at: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let invoice = final();
        let less = 0n;
        steps.forEach(({ amount, at, kind }, index) => {
          const decide = (): InvoiceDecision => {
            if (kind === 'pay' || kind === 'prepaid')
              return apply(invoice, amount, `r${index}`, kind === 'pay' ? 'card' : kind);
            if (kind === 'reverse') return decideReverse(invoice, new ReversePayment(...WHOSE, `r${at}`, 'reverted'));
            if (kind === 'write_off') return decideWriteOff(invoice, new WriteOffInvoice(...WHOSE, 'other'));
            return credit(invoice, kind === 'all' ? 'all' : [{ key: 'ab'[at % 2]!, amount }]);
          };
          let decision: InvoiceDecision = { events: [] };
          try {
            decision = decide();
          } catch (error) {
            expect((error as { code?: string }).code).toBeDefined();
          }
          invoice = next(invoice, decision);
          less += owedLess(decision);
          const total = BigInt(invoice.finalized!.total);
          // What was returned and then reversed is owed again, and may be given up.
          expect(creditedOf(invoice) <= total).toBe(true);
          expect(creditedOf(invoice) + invoice.writtenOff <= total + returnedOf(invoice)).toBe(true);
          const prepaid = [...invoice.applied.values()].filter(({ source }) => source === 'prepaid');
          const own = paidOf(invoice) - prepaid.reduce((sum, one) => sum + BigInt(one.amount), 0n);
          expect(less).toBe((own + creditedOf(invoice) + invoice.writtenOff) * 10_000n);
        });
      }),
    );
  });
});
