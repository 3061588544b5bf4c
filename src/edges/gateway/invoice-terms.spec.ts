import { evolveInvoice, type Invoice } from '../../domains/invoicing/invoice.evolve.js';
import { type InvoiceEvent, invoiceStream } from '../../domains/invoicing/invoice.js';
import { invoiceTerms, withinDue } from './invoice-terms.js';

const period = { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' };
const ID = invoiceStream('shop', 'cus_1', 1);
const draft: InvoiceEvent = {
  type: 'InvoiceDrafted',
  schema: 1,
  data: {
    ...{ tenant: 'shop', customer: 'cus_1', sequence: 1, reason: 'period', period, timeZone: 'UTC' },
    ...{ graceUntil: period.to, currency: 'USD', network: 'eip155:84532', asset: `0x${'a'.repeat(40)}`, decimals: 6 },
  },
};
const final: InvoiceEvent = {
  type: 'InvoiceFinalized',
  schema: 1,
  data: {
    ...{ cut: { position: '9', to: period.to }, issuedAt: period.to, dueAt: period.to, currency: 'USD', decimals: 6 },
    ...{ scale: '10000', lines: [], subtotal: '500', total: '500', residue: '0', taxes: [] },
    ...{ sellerDigest: 's', buyerDigest: 'b' },
  },
};
const paid = (amount: string): InvoiceEvent => ({
  type: 'InvoicePaymentApplied',
  schema: 1,
  data: { source: 'transfer', reference: 'r', amount },
});
const given = (...events: InvoiceEvent[]) => events.reduce<Invoice | undefined>(evolveInvoice, undefined)!;
const code = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('what a request for an invoice asks', () => {
  it('is all that is outstanding, in atomic units', () => {
    expect(invoiceTerms(ID, given(draft, final, paid('100')), '')).toEqual({
      due: { customer: 'cus_1', amount: 4_000_000n },
    });
  });

  it('is the part that the query names, in minor units, and never more than is outstanding', () => {
    const invoice = given(draft, final);
    expect(invoiceTerms(ID, invoice, '?amount=7').due.amount).toBe(70_000n);
    expect(invoiceTerms(ID, invoice, '?amount=501')).toMatchObject({
      due: { amount: 0n },
      instead: { code: 'payment_exceeds_invoice' },
    });
    for (const query of ['?amount=0', '?amount=1.5', '?amount=', '?amount=1&amount=1', '?amount=-1']) {
      expect(code(() => invoiceTerms(ID, invoice, query))).toBe('invalid_request');
    }
  });

  it('is nothing for one that is paid, which says so, or void', () => {
    const { due, instead } = invoiceTerms(ID, given(draft, final, paid('500')), '');
    expect(due.amount).toBe(0n);
    expect(JSON.parse((instead as { body: Buffer }).body.toString())).toMatchObject({
      state: 'paid',
      outstanding: '0',
    });
    const voided: InvoiceEvent = { type: 'InvoiceVoided', schema: 1, data: { reason: 'other', cancelled: '500' } };
    expect(invoiceTerms(ID, given(draft, final, voided), '').instead).toMatchObject({ status: 410 });
  });

  it('is not known of a draft', () => {
    expect(code(() => invoiceTerms(ID, given(draft), ''))).toBe('invoice_not_final');
  });

  it('is less than an earlier offer asked, if others have paid since: that payment is not taken', () => {
    const payment = (value: bigint) => ({ authorization: { value } }) as never;
    const due = { customer: 'cus_1', amount: 10n };
    expect(withinDue({ due }, payment(10n), { ok: true })).toEqual({ ok: true });
    expect(withinDue({ due }, payment(11n), { ok: true })).toEqual({ ok: false, reason: 'price_not_in_force' });
    expect(withinDue({}, payment(11n), { ok: true })).toEqual({ ok: true });
  });
});
