/** One line of an invoice: what was used in one period, by one price. Fixed with the invoice. */
export interface InvoiceLine {
  /** Unique on the invoice, `req_` or `use_` and 16 hex digits: of what the line groups by, so the same whenever it is computed. */
  readonly key: string;
  /** `requests`: commitments that were delivered; `usage`: what a meter counted. */
  readonly kind: 'requests' | 'usage';
  /** The calendar month of what it says, half-open, RFC 3339 in UTC; an earlier one for what came late. */
  readonly period: Span;
  readonly description: string;
  readonly route?: string;
  readonly tariff?: { readonly id: string; readonly version: number };
  readonly meter?: string;
  /** Whose price it is, and which version of it: `meter`, or `account` for an override. */
  readonly price?: { readonly of: 'meter' | 'account'; readonly version: number };
  /** Decimal, below zero if earlier invoices said too much. */
  readonly quantity: string;
  readonly unit: string;
  /** How many items it has, see `root`. */
  readonly events: number;
  /** Atomic units of the token, signed: `12`, `-10/3`. */
  readonly exact: string;
  /** Minor units of the currency, signed; the lines' amounts sum to the subtotal. */
  readonly amount: string;
  /** Root of the RFC 6962 tree over the items in order of their positions, base64url. */
  readonly root: string;
}

/** Half-open, RFC 3339 in UTC with milliseconds. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

/** One rate on the invoice; amounts in minor units. */
export interface InvoiceTax {
  readonly name: string;
  /** Decimal: `21`, `8.875`. */
  readonly percent: string;
  readonly taxable: string;
  readonly amount: string;
}
