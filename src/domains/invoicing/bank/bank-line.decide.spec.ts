import fc from 'fast-check';
import type { InvoiceDecision } from '../invoice.decide.js';
import { evolveInvoice, type Invoice, outstandingOf, paidOf } from '../invoice.evolve.js';
import type { InvoiceEvent } from '../invoice.js';
import { decideMatch, decideUndo, MatchBankLine, UndoBankLine } from './bank-line.decide.js';
import type { BankLine, BankLineId } from './bank-line.js';

const WHOSE = ['shop', 'cus_1', 1] as const;
const given = (...events: object[]): Invoice =>
  [
    { type: 'InvoiceDrafted', schema: 1, data: { currency: 'USD' } },
    { type: 'InvoiceFinalized', schema: 1, data: { total: '100', scale: '10000', currency: 'USD' } },
    ...events,
  ].reduce<Invoice | undefined>((state, event) => evolveInvoice(state, event as InvoiceEvent), undefined)!;
const line = (amount: bigint, name = 'a', currency = 'USD'): BankLine => ({
  ...{ id: `bl_${name}` as BankLineId, tenant: 'shop', account: 'x', date: '2026-12-01', amount, currency, text: '' },
});
const match = (invoice: Invoice, one: BankLine, round = 1, payment?: string) =>
  decideMatch(invoice, new MatchBankLine(...WHOSE, 'inv_1', one, round, payment));
const next = (invoice: Invoice, { events }: InvoiceDecision): Invoice =>
  events.reduce<Invoice>((state, event) => evolveInvoice(state, event), invoice);
const less = ({ holds = [] }: InvoiceDecision) => -holds.reduce((sum, { delta }) => sum + delta, 0n);
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a line that came in', () => {
  it.each([
    [60n, ['InvoicePaymentApplied'], 40n, 0n],
    [100n, ['InvoicePaymentApplied'], 0n, 0n],
    [130n, ['InvoicePaymentApplied', 'InvoiceOverpaid'], 0n, 30n],
  ])('of %s pays what is outstanding, and the rest is paid in', (amount, types, outstanding, over) => {
    const decision = match(given(), line(amount));
    const paid = next(given(), decision);
    expect(decision.events.map(({ type }) => type)).toEqual(types);
    expect([outstandingOf(paid), paid.overpaid.get('bl_a') ?? 0n, less(decision)]).toEqual([
      ...[outstanding, over, amount * 10_000n],
    ]);
    expect(decision.match).toEqual({ line: 'bl_a', round: 1, invoice: 'inv_1', reference: 'bl_a' });
  });

  it('for what is paid already is paid in as a whole', () => {
    const paid = next(given(), match(given(), line(100n)));
    const decision = match(paid, line(5n, 'b'));
    expect(decision.events).toEqual([{ type: 'InvoiceOverpaid', schema: 1, data: { reference: 'bl_b', amount: '5' } }]);
    expect(next(paid, decision).state).toBe('paid');
  });

  it('is for a final invoice in its currency that is not void', () => {
    const voided = given({ type: 'InvoiceVoided', schema: 1, data: { reason: 'other', cancelled: '100' } });
    expect(code(() => match(voided, line(1n)))).toBe('invoice_void');
    expect(code(() => match(given(), line(1n, 'a', 'EUR')))).toBe('bank_line_currency');
  });

  it('can be undone, and matched again under another reference', () => {
    const paid = next(given(), match(given(), line(130n)));
    const undone = decideUndo(paid, new UndoBankLine(...WHOSE, 'bl_a', 1, 'bl_a'));
    expect([less(undone), undone.match]).toEqual([-1_300_000n, { line: 'bl_a', round: 1, undone: true }]);
    const open = next(paid, undone);
    expect([open.state, open.overpaid.size]).toEqual(['open', 0]);
    expect(match(open, line(130n), 2).match).toMatchObject({ round: 2, reference: 'bl_a.2' });
    expect(code(() => match(open, line(130n), 1))).toBe('bank_line_taken');
    expect(code(() => decideUndo(open, new UndoBankLine(...WHOSE, 'bl_a', 1, 'bl_a')))).toBe('bank_line_unmatched');
  });
});

describe('a line that went out', () => {
  const paid = [line(60n), line(70n, 'b')].reduce((state, one) => next(state, match(state, one)), given());

  it('reverses the transfer of its amount, what was over too', () => {
    const decision = match(paid, line(-70n, 'back'));
    expect(decision.events).toEqual([
      { type: 'InvoicePaymentReversed', schema: 1, data: { reference: 'bl_b', reason: 'refunded' } },
    ]);
    expect([less(decision), outstandingOf(next(paid, decision))]).toEqual([-700_000n, 40n]);
  });

  it('stays unmatched if no transfer is of its amount, or several are and none is named', () => {
    expect(code(() => match(paid, line(-71n, 'back')))).toBe('bank_line_unmatched');
    const twice = [line(30n), line(30n, 'b')].reduce((state, one) => next(state, match(state, one)), given());
    expect(code(() => match(twice, line(-30n, 'back')))).toBe('bank_line_ambiguous');
    expect(match(twice, line(-30n, 'back'), 1, 'bl_b').match).toMatchObject({ reference: 'bl_b' });
  });
});

it('whatever comes in, goes back and is undone: every unit is applied, or paid in, once', () => {
  const step = fc.record({ kind: fc.constantFrom('in', 'out', 'undo'), amount: fc.bigInt(1n, 150n), at: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      let invoice = given();
      let owedLess = 0n;
      const standing = new Map<string, bigint>();
      steps.forEach(({ amount, at, kind }, index) => {
        const decide = () => {
          if (kind === 'in') return match(invoice, line(amount, `${index}`));
          if (kind === 'undo') return decideUndo(invoice, new UndoBankLine(...WHOSE, `bl_${at}`, 1, `bl_${at}`));
          return match(invoice, line(-(standing.get(`bl_${at}`) ?? 1n), `${index}`), 1, `bl_${at}`);
        };
        try {
          const decision = decide();
          invoice = next(invoice, decision);
          owedLess += less(decision);
          if (kind === 'in') standing.set(`bl_${index}`, amount);
          else standing.delete(`bl_${at}`);
        } catch (error) {
          expect((error as { code?: string }).code).toBeDefined();
        }
        const stands = [...standing.values()].reduce((sum, one) => sum + one, 0n);
        const over = [...invoice.overpaid.values()].reduce((sum, one) => sum + one, 0n);
        expect(paidOf(invoice) + over).toBe(stands);
        expect(owedLess).toBe(stands * 10_000n);
        expect(outstandingOf(invoice)).toBe(100n - paidOf(invoice));
      });
    }),
  );
});
