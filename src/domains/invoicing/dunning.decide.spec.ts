import { DunInvoice, decideDun } from './dunning.decide.js';
import { evolveInvoice, type Invoice } from './invoice.evolve.js';
import type { InvoiceEvent } from './invoice.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DUE = Date.parse('2026-12-15T00:00:00Z');
const DAYS = [3, 7, 14];

const issued = [
  { type: 'InvoiceDrafted', schema: 1, data: {} },
  { type: 'InvoiceFinalized', schema: 1, data: { total: '100', dueAt: new Date(DUE).toISOString() } },
];
const paid = (amount: string) => ({
  type: 'InvoicePaymentApplied',
  schema: 1,
  data: { source: 'prepaid', reference: amount, amount },
});
const given = (...events: object[]) =>
  ([...issued, ...events] as unknown as InvoiceEvent[]).reduce<Invoice | undefined>(evolveInvoice, undefined);
const dun = (invoice: Invoice | undefined, now: number) =>
  decideDun(invoice, new DunInvoice('shop', 'cus_1', 1, now, DAYS)).events;
const told = (invoice: Invoice | undefined, now: number) =>
  dun(invoice, now).map(({ data, type }) => ('step' in data ? `${type} ${data.step}` : type));

describe('an invoice that is not paid', () => {
  it('is overdue from the moment that it is due, once', () => {
    expect(told(given(), DUE - 1)).toEqual([]);
    expect(told(given(), DUE)).toEqual(['InvoiceBecameOverdue']);
    expect(told(given(...dun(given(), DUE)), DUE + DAY)).toEqual([]);
    expect(told(given(paid('99')), DUE)).toEqual(['InvoiceBecameOverdue']);
  });

  it('is reminded of on each day of the schedule, some hours spread, once', () => {
    let invoice = given(...dun(given(), DUE));
    const seen: string[] = [];
    for (let now = DUE; now < DUE + 30 * DAY; now += HOUR) {
      const events = dun(invoice, now);
      for (const { data } of events) {
        const { at, step } = data as { at: string; step: number };
        const late = Date.parse(at) - DUE - DAYS[step - 1]! * DAY;
        expect([late >= 0, late <= 7 * HOUR]).toEqual([true, true]);
        seen.push(`${step}`);
      }
      invoice = events.reduce<Invoice | undefined>(evolveInvoice, invoice);
    }
    expect(seen).toEqual(['1', '2', '3']);
  });

  it('is reminded of once for all that a stopped worker missed', () => {
    expect(told(given(), DUE + 8 * DAY)).toEqual(['InvoiceBecameOverdue', 'DunningNoticeSent 2']);
  });

  it.each([
    ['paid', [paid('100')]],
    ['void', [{ type: 'InvoiceVoided', schema: 1, data: { reason: 'mistaken', cancelled: '100' } }]],
    ['given up', [{ type: 'InvoiceWrittenOff', schema: 1, data: { amount: '100', reason: 'other' } }]],
  ])('is left alone once it is %s', (_what, events) => {
    expect(told(given(...events), DUE + 30 * DAY)).toEqual([]);
  });

  it('is left alone as a draft', () => {
    const draft = evolveInvoice(undefined, issued[0] as unknown as InvoiceEvent);
    expect([told(draft, DUE), told(undefined, DUE)]).toEqual([[], []]);
  });
});
