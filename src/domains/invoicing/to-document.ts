import { minorDigitsOf } from './billing-account.js';
import { creditedOf, type Invoice, outstandingOf, paidOf } from './invoice.evolve.js';
import { type CreditNoteIssued, creditNoteIdOf, invoiceIdOf, invoiceStream } from './invoice.js';
import { type InvoiceContent, scaleOf } from './invoice-content.js';
import type { DocumentLine, InvoiceDocument } from './invoice-document.js';
import type { Parties } from './parties.queries.js';

/** `INV-000001`. */
export function numberOf(prefix: string, number: number): string {
  return `${prefix}-${number.toString().padStart(6, '0')}`;
}

/** Pure. @param content of a draft, as it is now; a final invoice says its own */
export function documentOf(
  invoice: Invoice,
  number: string | undefined,
  parties: Parties,
  content: InvoiceContent = invoice.finalized!,
): InvoiceDocument {
  const { drafted, finalized, state } = invoice;
  const { currency, customer, decimals, period, sequence, tenant, timeZone } = drafted;
  const { lines, residue, subtotal, taxes, total } = content;
  return {
    kind: finalized ? 'invoice' : 'draft',
    id: invoiceIdOf(invoiceStream(tenant, customer, sequence)),
    ...(number !== undefined && { number }),
    ...{ tenant, customer, ...parties },
    ...(finalized && { issuedAt: finalized.issuedAt, dueAt: finalized.dueAt }),
    ...{ period, timeZone, currency, minorDigits: minorDigitsOf(currency) },
    scale: finalized?.scale ?? scaleOf(decimals, minorDigitsOf(currency)).toString(),
    ...{ lines, subtotal, residue, taxes, total },
    ...{ paid: paidOf(invoice).toString(), credited: creditedOf(invoice).toString() },
    outstanding: (finalized ? outstandingOf(invoice) : BigInt(total)).toString(),
    state,
    ...(finalized && { cut: finalized.cut }),
  };
}

/** Pure. @param numbers of the note and of the invoice, once they are counted */
export function creditNoteDocumentOf(
  invoice: Invoice,
  note: CreditNoteIssued['data'],
  numbers: { readonly number?: string; readonly of?: string },
  parties: Parties,
): InvoiceDocument {
  const { currency, customer, period, sequence, tenant, timeZone } = invoice.drafted;
  const { issuedAt, reason, returned, subtotal, taxes, total } = note;
  return {
    kind: 'credit_note',
    id: creditNoteIdOf(invoiceStream(tenant, customer, sequence), note.note),
    ...numbers,
    ...{ tenant, customer, ...parties, issuedAt, period, timeZone, currency, minorDigits: minorDigitsOf(currency) },
    scale: invoice.finalized!.scale,
    lines: note.lines.map((line) => creditedLine(invoice, line)),
    ...{ subtotal, residue: '0', taxes, total, paid: '0', credited: '0', outstanding: '0' },
    ...{ state: 'issued', reason, returned },
  };
}

/** What the invoice says of the line, but for how much. */
function creditedLine(
  { finalized }: Invoice,
  { amount, key }: CreditNoteIssued['data']['lines'][number],
): DocumentLine {
  const {
    events: _e,
    exact: _x,
    quantity: _q,
    root: _r,
    unit: _u,
    ...line
  } = finalized!.lines.find((one) => one.key === key)!;
  return { ...line, amount };
}
