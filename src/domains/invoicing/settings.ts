/** How a tenant invoices. */
export interface InvoicingRules {
  /** Before the number: `INV`. */
  readonly numberPrefix: string;
  /** How long late events still get on an invoice. */
  readonly graceSeconds: number;
  /** From the issue to when it is due. */
  readonly dueDays: number;
  /** Minor units: what is not billed is invoiced at once when it comes to this. */
  readonly threshold?: string;
  /** Days after the invoice was due on which the customer is reminded. */
  readonly dunningDays: readonly number[];
}

export const usualRules: InvoicingRules = {
  numberPrefix: 'INV',
  graceSeconds: 3_600,
  dueDays: 14,
  dunningDays: [3, 7, 14],
};

export interface InvoicingSet {
  readonly type: 'InvoicingSet';
  readonly schema: 1;
  readonly data: InvoicingRules & { readonly tenant: string };
}

/** One rate. */
export interface TaxRate {
  readonly name: string;
  /** Decimal of at most 6 digits behind the point: `21`, `8.875`. */
  readonly percent: string;
}

/** What is added to the invoices of an account from now on. */
export interface AccountTaxesSet {
  readonly type: 'AccountTaxesSet';
  readonly schema: 1;
  readonly data: { readonly tenant: string; readonly customer: string; readonly rates: readonly TaxRate[] };
}

/** Without a customer it is the price for all, else it takes its place for one. Versions count from 1. */
export interface MeterPriced {
  readonly type: 'MeterPriced';
  readonly schema: 1;
  readonly data: {
    readonly tenant: string;
    readonly meter: string;
    readonly customer?: string;
    readonly version: number;
    /** RFC 3339: counts for periods that begin at this or later; the first one for all. */
    readonly effectiveFrom: string;
    readonly charge: MeterCharge;
  };
}

/** A charge model of `pricing/charges` over the total of a period, as it is written. Amounts in atomic units, decimal. */
export interface MeterCharge {
  readonly model: 'flat' | 'per_unit' | 'package' | 'graduated' | 'volume' | 'percentage' | 'graduated_percentage';
  readonly amount?: string;
  /** Units that `amount` buys. */
  readonly per?: number;
  readonly prorated?: boolean;
  readonly included?: number;
  readonly percent?: string;
  readonly minimum?: string;
  readonly maximum?: string;
  readonly tiers?: readonly MeterTier[];
}

export interface MeterTier {
  /** Its last unit; absent for the last tier. */
  readonly upTo?: number;
  readonly amount?: string;
  readonly per?: number;
  readonly percent?: string;
  /** Once, as soon as one unit falls into the tier. */
  readonly flat?: string;
}

export function invoicingStream(tenant: string): string {
  return `invoicing/${tenant}`;
}

export function taxesStream(tenant: string, customer: string): string {
  return `account-taxes/${tenant}/${customer}`;
}

/** @param customer `*` for the price of all */
export function meterPriceStream(tenant: string, meter: string, customer: string): string {
  return `meter-price/${tenant}/${meter}/${customer}`;
}
