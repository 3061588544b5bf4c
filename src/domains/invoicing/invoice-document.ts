import type { InvoiceState } from './invoice.evolve.js';
import type { CreditReason, Cut } from './invoice.js';
import type { InvoiceLine, InvoiceTax, Span } from './invoice-line.js';

/** Who sells or buys, as a document names it. Personal data: never in an event. */
export interface Party {
  readonly name: string;
  /** Of the address. */
  readonly lines: readonly string[];
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly taxId?: string;
  readonly email?: string;
  /** Ways to pay a seller besides x402, such as a bank account: printed as they are, a line each. */
  readonly payment?: readonly string[];
}

/** Of a credit note: what of the line is credited, without what the whole line was made of. */
export type DocumentLine = Omit<InvoiceLine, 'quantity' | 'unit' | 'events' | 'exact' | 'root'> &
  Partial<Pick<InvoiceLine, 'quantity' | 'unit' | 'events' | 'exact' | 'root'>>;

/** All that a document shows, and nothing else: pages and files are made from it alone. Amounts in minor units, decimal. */
export interface InvoiceDocument {
  readonly kind: 'invoice' | 'credit_note' | 'draft';
  readonly id: string;
  /** Of a draft there is none. */
  readonly number?: string;
  /** The number of the invoice that is credited. */
  readonly of?: string;
  readonly tenant: string;
  readonly customer: string;
  readonly seller: Party;
  readonly buyer: Party;
  readonly issuedAt?: string;
  readonly dueAt?: string;
  readonly period: Span;
  readonly timeZone: string;
  /** ISO 4217, and its digits. */
  readonly currency: string;
  readonly minorDigits: number;
  /** Atomic units of the token in a minor unit. */
  readonly scale: string;
  readonly lines: readonly DocumentLine[];
  readonly subtotal: string;
  /** Atomic units, signed and exact. */
  readonly residue: string;
  readonly taxes: readonly InvoiceTax[];
  readonly total: string;
  readonly paid: string;
  readonly credited: string;
  readonly outstanding: string;
  /** A credit note stands as it is. */
  readonly state: InvoiceState | 'issued';
  /** Why it was credited. */
  readonly reason?: CreditReason;
  /** As much of a credit note as was paid already: it is in the prepaid balance of the buyer. */
  readonly returned?: string;
  readonly payUrl?: string;
  readonly cut?: Cut;
}
