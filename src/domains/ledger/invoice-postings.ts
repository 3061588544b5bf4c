import type { StoredEvent } from '../../base/event-store/event.js';
import { halfUp } from '../invoicing/exact.js';
import { evolveInvoice, type Invoice } from '../invoicing/invoice.evolve.js';
import type { CreditNoteIssued, InvoiceEvent, InvoiceVoided, PaymentSource } from '../invoicing/invoice.js';
import { partsOf } from '../invoicing/invoice-parts.js';
import { type Account, type Book, tokenAsset } from './chart.js';
import { Lines } from './lines.js';
import { REVENUE, WRITE_OFF } from './payment-entries.js';
import type { Code, Transfer } from './transfer.js';

/** The events of an invoice that move value, and the first, which says whose it is. */
export const invoiceTypes = [
  'InvoiceDrafted',
  'InvoiceFinalized',
  'InvoicePaymentApplied',
  'InvoiceOverpaid',
  'InvoicePaymentReversed',
  'CreditNoteIssued',
  'InvoiceVoided',
  'InvoiceWrittenOff',
] as const;

export interface InvoiceBook {
  readonly flow: 'invoice';
  readonly book: Book;
  readonly invoice: Invoice;
}

const BANK: Account = { kind: 'bank', party: '' };
const REFUNDS: Account = { kind: 'refunds', party: '' };
const ROUNDING: Account = { kind: 'rounding', party: '' };
const TAX_PAYABLE: Account = { kind: 'tax_payable', party: '' };

export function isOfInvoice({ type }: Pick<StoredEvent, 'type'>): boolean {
  return (invoiceTypes as readonly string[]).includes(type);
}

/** Pure: what one event of an invoice moves. @param state `undefined` before the first event */
export function postInvoice(
  state: InvoiceBook | undefined,
  stored: StoredEvent,
): { readonly state: InvoiceBook; readonly transfers: readonly Transfer[] } {
  const event = { type: stored.type, schema: 1, data: stored.data } as unknown as InvoiceEvent;
  const invoice = evolveInvoice(state?.invoice, event);
  const { asset, network } = invoice.drafted;
  const book = { tenant: stored.tenant, asset: tokenAsset(network, asset) };
  const lines = new Lines(stored, book, 0n);
  if (state) post(event, state.invoice, invoice, lines);
  return { state: { flow: 'invoice', book, invoice }, transfers: lines.transfers };
}

function post(event: InvoiceEvent, before: Invoice, after: Invoice, lines: Lines): void {
  const customer = after.drafted.customer;
  const receivable: Account = { kind: 'customer_receivable', party: customer };
  const scale = BigInt(after.finalized?.scale ?? 0);
  /** Nothing is posted of nothing, and what is below zero goes the other way round. */
  const move = (code: Code, debit: Account, credit: Account, amount: bigint) => {
    if (amount > 0n) lines.posted({ code, debit, credit }, amount);
    else if (amount < 0n) lines.posted({ code, debit: credit, credit: debit }, -amount);
  };
  switch (event.type) {
    case 'InvoiceFinalized': {
      const { requests, rounding, tax, usage } = partsOf(event.data);
      move('billing', receivable, { kind: 'unbilled', party: customer }, requests);
      move('usage', receivable, REVENUE, usage);
      move('tax', receivable, TAX_PAYABLE, tax);
      move('rounding', receivable, ROUNDING, rounding);
      return;
    }
    case 'InvoicePaymentApplied': {
      const { amount, source } = event.data;
      move('application', sourceOf(source, customer), receivable, BigInt(amount) * scale);
      return;
    }
    case 'InvoiceOverpaid':
      move('application', BANK, { kind: 'prepaid_balance', party: customer }, BigInt(event.data.amount) * scale);
      return;
    case 'InvoicePaymentReversed': {
      const { reference } = event.data;
      const applied = before.applied.get(reference);
      if (applied) {
        const { amount, source } = applied;
        move('application_reversal', receivable, sourceOf(source, customer), BigInt(amount) * scale);
      }
      const over = before.overpaid.get(reference) ?? 0n;
      move('application_reversal', { kind: 'prepaid_balance', party: customer }, BANK, over * scale);
      return;
    }
    case 'CreditNoteIssued': {
      const { returned, subtotal, total }: CreditNoteIssued['data'] = event.data;
      move('credit', REFUNDS, receivable, BigInt(subtotal) * scale);
      move('credit', TAX_PAYABLE, receivable, (BigInt(total) - BigInt(subtotal)) * scale);
      move('credit', receivable, { kind: 'prepaid_balance', party: customer }, BigInt(returned) * scale);
      return;
    }
    case 'InvoiceVoided': {
      const tax = cancelledTax(after, event.data);
      move('cancellation', REFUNDS, receivable, (BigInt(event.data.cancelled) - tax) * scale);
      move('cancellation', TAX_PAYABLE, receivable, tax * scale);
      return;
    }
    case 'InvoiceWrittenOff':
      move('loss', WRITE_OFF, receivable, BigInt(event.data.amount) * scale);
  }
}

/** Where the money is that was applied. */
function sourceOf(source: PaymentSource, customer: string): Account {
  if (source === 'prepaid') return { kind: 'prepaid_balance', party: customer };
  return source === 'card' ? { kind: 'card_clearing', party: '' } : BANK;
}

/** The taxes' share of what a void cancels, half-up, in minor units. */
function cancelledTax({ finalized }: Invoice, { cancelled }: InvoiceVoided['data']): bigint {
  const [subtotal, total] = [BigInt(finalized!.subtotal), BigInt(finalized!.total)];
  return halfUp({ numerator: (total - subtotal) * BigInt(cancelled), denominator: total });
}
