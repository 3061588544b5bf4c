import { minorDigitsOf } from './billing-account.js';
import { creditedOf, type Invoice, outstandingOf, paidOf } from './invoice.evolve.js';
import { invoiceIdOf, invoiceStream } from './invoice.js';
import { type InvoiceContent, scaleOf } from './invoice-content.js';
import type { InvoiceDocument } from './invoice-document.js';
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
