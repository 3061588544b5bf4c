import type { StoredEvent } from '../../base/event-store/event.js';
import type {
  CreditNoteIssued,
  InvoiceDrafted,
  InvoiceEvent,
  InvoiceFinalized,
  InvoicePaymentApplied,
} from './invoice.js';

export type InvoiceState = 'draft' | 'open' | 'partially_paid' | 'paid' | 'void' | 'uncollectible';

/** A draft that exists, or an invoice that is final. Amounts in minor units. */
export interface Invoice {
  readonly state: InvoiceState;
  readonly drafted: InvoiceDrafted['data'];
  readonly finalized?: InvoiceFinalized['data'];
  /** What stands of the payments, by reference. */
  readonly applied: ReadonlyMap<string, InvoicePaymentApplied['data']>;
  /** What came in beside that, by reference, and is in the prepaid balance. */
  readonly overpaid: ReadonlyMap<string, bigint>;
  /** Every reference that was ever applied: none is applied twice, nor again after it was reversed. */
  readonly references: ReadonlySet<string>;
  readonly notes: readonly CreditNoteIssued['data'][];
  readonly overdue: boolean;
  /** Steps of the dunning schedule that were taken. */
  readonly noticed: number;
  readonly writtenOff: bigint;
  readonly cancelled: bigint;
}

/** What the stream of an invoice tells; `undefined` if it is empty. */
export function foldInvoice(events: readonly StoredEvent[]): Invoice | undefined {
  return (events as unknown as readonly InvoiceEvent[]).reduce<Invoice | undefined>(evolveInvoice, undefined);
}

/** Folds one stored event. An event that does not fit the state means a corrupt log, so it throws. */
export function evolveInvoice(invoice: Invoice | undefined, event: InvoiceEvent): Invoice {
  if (event.type === 'InvoiceDrafted') {
    if (invoice !== undefined && invoice.state !== 'draft') throw misplaced(event, invoice);
    return {
      ...{ state: 'draft', drafted: event.data, applied: new Map(), overpaid: new Map(), references: new Set() },
      ...{ notes: [], overdue: false, noticed: 0, writtenOff: 0n, cancelled: 0n },
    };
  }
  if (invoice === undefined || (invoice.state === 'draft') !== (event.type === 'InvoiceFinalized')) {
    throw misplaced(event, invoice);
  }
  return withState({ ...invoice, ...changeOf(invoice, event) });
}

function changeOf(invoice: Invoice, event: Exclude<InvoiceEvent, InvoiceDrafted>): Partial<Invoice> {
  switch (event.type) {
    case 'InvoiceFinalized':
      return { finalized: event.data, state: 'open' };
    case 'InvoicePaymentApplied': {
      const { reference } = event.data;
      if (invoice.references.has(reference)) throw misplaced(event, invoice);
      return {
        applied: new Map([...invoice.applied, [reference, event.data]]),
        references: new Set([...invoice.references, reference]),
      };
    }
    case 'InvoiceOverpaid': {
      const { amount, reference } = event.data;
      if (invoice.references.has(reference) && !invoice.applied.has(reference)) throw misplaced(event, invoice);
      if (invoice.overpaid.has(reference)) throw misplaced(event, invoice);
      return {
        overpaid: new Map([...invoice.overpaid, [reference, BigInt(amount)]]),
        references: new Set([...invoice.references, reference]),
      };
    }
    case 'InvoicePaymentReversed': {
      const { reference } = event.data;
      if (!invoice.applied.has(reference) && !invoice.overpaid.has(reference)) throw misplaced(event, invoice);
      return { applied: without(invoice.applied, reference), overpaid: without(invoice.overpaid, reference) };
    }
    case 'CreditNoteIssued':
      return { notes: [...invoice.notes, event.data] };
    case 'InvoiceBecameOverdue':
      return { overdue: true };
    case 'DunningNoticeSent':
      return { noticed: event.data.step };
    case 'InvoiceVoided':
      return { cancelled: invoice.cancelled + BigInt(event.data.cancelled), state: 'void' };
    case 'InvoiceWrittenOff':
      return { writtenOff: invoice.writtenOff + BigInt(event.data.amount), state: 'uncollectible' };
  }
}

function without<T>(all: ReadonlyMap<string, T>, reference: string): ReadonlyMap<string, T> {
  return new Map([...all].filter(([one]) => one !== reference));
}

/** What stands of the payments. */
export function paidOf({ applied }: Invoice): bigint {
  return [...applied.values()].reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** What credit notes took back, whether it was paid or not. */
export function creditedOf({ notes }: Invoice): bigint {
  return notes.reduce((sum, { total }) => sum + BigInt(total), 0n);
}

/** What credit notes gave back of what was paid. */
export function returnedOf({ notes }: Invoice): bigint {
  return notes.reduce((sum, { returned }) => sum + BigInt(returned), 0n);
}

/** What is still to be paid; 0 for a draft. */
export function outstandingOf(invoice: Invoice): bigint {
  if (invoice.finalized === undefined) return 0n;
  const { cancelled, finalized, writtenOff } = invoice;
  const left = BigInt(finalized.total) - creditedOf(invoice) + returnedOf(invoice);
  return left - paidOf(invoice) - writtenOff - cancelled;
}

function withState(invoice: Invoice): Invoice {
  const outstanding = outstandingOf(invoice);
  if (outstanding < 0n) throw new Error('more than is outstanding was taken off an invoice');
  if (invoice.state === 'void') return invoice;
  if (outstanding > 0n && paidOf(invoice) === 0n) return { ...invoice, state: 'open' };
  if (outstanding > 0n) return { ...invoice, state: 'partially_paid' };
  return invoice.writtenOff > 0n
    ? { ...invoice, state: 'uncollectible' }
    : { ...invoice, state: 'paid', overdue: false };
}

function misplaced({ type }: InvoiceEvent, invoice: Invoice | undefined): Error {
  return new Error(`${type} does not follow ${invoice?.state ?? 'nothing'}`);
}
