import { decideFinalize, FinalizeInvoice } from './invoice.decide.js';
import { evolveInvoice, type Invoice, outstandingOf, paidOf } from './invoice.evolve.js';
import { type InvoiceEvent, invoiceIdOf, invoiceStream } from './invoice.js';

const drafted = { type: 'InvoiceDrafted', schema: 1, data: {} };
const finalized = { type: 'InvoiceFinalized', schema: 1, data: { total: '100' } };
const paid = (reference: string, amount: string) => ({
  type: 'InvoicePaymentApplied',
  schema: 1,
  data: { source: 'prepaid', reference, amount },
});
const reversed = { type: 'InvoicePaymentReversed', schema: 1, data: { reference: 'a', reason: 'reverted' } };
const note = (total: string, returned: string) => ({ type: 'CreditNoteIssued', schema: 1, data: { total, returned } });
const voided = (cancelled: string) => ({ type: 'InvoiceVoided', schema: 1, data: { reason: 'mistaken', cancelled } });
const writtenOff = { type: 'InvoiceWrittenOff', schema: 1, data: { amount: '60', reason: 'insolvent' } };
const overdue = { type: 'InvoiceBecameOverdue', schema: 1, data: {} };
const of = (...events: object[]): Invoice =>
  (events as InvoiceEvent[]).reduce<Invoice | undefined>(evolveInvoice, undefined)!;
const issued = [drafted, finalized];

describe('an invoice', () => {
  it.each<[string, object[], string, bigint]>([
    ['is a draft first', [drafted], 'draft', 0n],
    ['may be drafted again', [drafted, drafted], 'draft', 0n],
    ['is open when it is final', issued, 'open', 100n],
    ['is paid in parts', [...issued, paid('a', '40')], 'partially_paid', 60n],
    ['is paid', [...issued, paid('a', '40'), paid('b', '60')], 'paid', 0n],
    ['is open again when a payment is gone', [...issued, paid('a', '100'), reversed], 'open', 100n],
    ['asks for less after a credit note', [...issued, note('30', '0')], 'open', 70n],
    ['stays paid when what was paid is given back', [...issued, paid('a', '100'), note('30', '30')], 'paid', 0n],
    ['is void', [...issued, voided('100')], 'void', 0n],
    ['is given up', [...issued, paid('a', '40'), writtenOff], 'uncollectible', 0n],
  ])('%s', (_what, events, state, outstanding) => {
    const invoice = of(...events);
    expect([invoice.state, outstandingOf(invoice)]).toEqual([state, outstanding]);
  });

  it('is overdue until it is paid', () => {
    expect(of(...issued, overdue).overdue).toBe(true);
    expect(of(...issued, overdue, paid('a', '100'))).toMatchObject({ overdue: false });
    expect(paidOf(of(...issued, overdue, paid('a', '99')))).toBe(99n);
  });

  it.each([
    ['a payment of a draft', [drafted, paid('a', '1')]],
    ['a second final', [...issued, finalized]],
    ['the same payment twice', [...issued, paid('a', '1'), paid('a', '1')]],
    ['a payment again that was reversed', [...issued, paid('a', '1'), reversed, paid('a', '1')]],
    ['more than is outstanding', [...issued, paid('a', '101')]],
    ['a draft of what is final', [...issued, drafted]],
    ['anything before the draft', [finalized]],
  ])('has no %s', (_what, events) => {
    expect(() => of(...events)).toThrow();
  });

  it('is final as it was reckoned, not with a draft that covers more since', () => {
    const [to, later] = ['2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'];
    const content = { cut: { position: '9', to }, lines: [], scale: '1', subtotal: '0', total: '100' };
    const finalize = new FinalizeInvoice('demo', 'cus_1', 1, content as never, {} as never);
    const draft = (end: string) => of({ ...drafted, data: { period: { from: '2026-11-01T00:00:00.000Z', to: end } } });
    expect(decideFinalize(draft(to), finalize).events).toHaveLength(1);
    expect(decideFinalize(draft(later), finalize).events).toEqual([]);
    expect(decideFinalize(of(...issued), finalize).events).toEqual([]);
  });

  it('has an id of its stream alone', () => {
    expect(invoiceIdOf(invoiceStream('demo', 'cus_0123456789abcdef01234567', 1))).toMatch(/^inv_[0-9a-f]{24}$/);
  });
});
