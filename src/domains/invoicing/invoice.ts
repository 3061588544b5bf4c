import { createHash } from 'node:crypto';
import type { Address, Network } from '../../base/shared/hex.js';
import type { CustomerId } from '../customers/account.js';
import type { InvoiceLine, InvoiceTax, Span } from './invoice-line.js';

/** `inv_` and 24 hex digits. */
export type InvoiceId = `inv_${string}`;

interface Event<Type extends string, Data extends object, Schema extends number = 1> {
  readonly type: Type;
  readonly schema: Schema;
  readonly data: Data;
}

/** `period`: a month is over; `threshold`: what is not billed passed what the settings allow. */
export type InvoiceReason = 'period' | 'threshold';

/**
 * An account has something to be billed. Its content is computed when asked until it is final. Again on the same stream: the draft
 * came to nothing that could be billed, and covers another month too.
 */
export type InvoiceDrafted = Event<
  'InvoiceDrafted',
  {
    readonly tenant: string;
    readonly customer: CustomerId;
    /** Counts the invoices of the account from 1. */
    readonly sequence: number;
    readonly reason: InvoiceReason;
    /** From the end of the invoice before, or the opening of the account, to where this one is cut. */
    readonly period: Span;
    readonly timeZone: string;
    /** By the tenant's clock, RFC 3339: late events are on it until then. */
    readonly graceUntil: string;
    readonly currency: string;
    readonly network: Network;
    readonly asset: Address;
    readonly decimals: number;
  }
>;

/** Says what is on the invoice: all before both numbers that no earlier cut has. */
export interface Cut {
  /** Of the log. */
  readonly position: string;
  /** Exclusive, RFC 3339. */
  readonly to: string;
}

/** What the customer is asked to pay, for ever as it is. Amounts in minor units unless they say otherwise. */
export type InvoiceFinalized = Event<
  'InvoiceFinalized',
  {
    readonly cut: Cut;
    /** Of the invoice before, if there is one. */
    readonly after?: Cut;
    /** By the tenant's clock. */
    readonly issuedAt: string;
    readonly dueAt: string;
    readonly currency: string;
    readonly decimals: number;
    /** Atomic units of the token in a minor unit. */
    readonly scale: string;
    readonly lines: readonly InvoiceLine[];
    readonly subtotal: string;
    readonly taxes: readonly InvoiceTax[];
    readonly total: string;
    /** Atomic units, signed and exact: subtotal × scale less the sum of the lines' exact amounts. */
    readonly residue: string;
    /** Base64url SHA-256 of the parties as they were, which are kept beside the log. */
    readonly sellerDigest: string;
    readonly buyerDigest: string;
  }
>;

export type PaymentSource = 'prepaid' | 'card' | 'transfer';

/** `reference` is unique on the invoice: what was applied is applied once. */
export type InvoicePaymentApplied = Event<
  'InvoicePaymentApplied',
  { readonly source: PaymentSource; readonly reference: string; readonly amount: string }
>;

/**
 * More came in under the reference than was outstanding: the rest is in the prepaid balance. Beside the application of the same
 * reference, or alone if nothing was outstanding.
 */
export type InvoiceOverpaid = Event<'InvoiceOverpaid', { readonly reference: string; readonly amount: string }>;

/** The application of this reference does not count any more, all of it. */
export type InvoicePaymentReversed = Event<
  'InvoicePaymentReversed',
  {
    readonly reference: string;
    readonly reason: 'refunded' | 'disputed' | 'reverted' | 'mistaken';
  }
>;

export const creditReasons = ['duplicate', 'quality', 'not_delivered', 'pricing', 'on_request', 'other'] as const;
export type CreditReason = (typeof creditReasons)[number];

/** Part of a line is taken back; minor units. */
export interface CreditLine {
  readonly key: string;
  readonly description: string;
  readonly amount: string;
}

export type CreditNoteIssued = Event<
  'CreditNoteIssued',
  {
    /** Counts the credit notes of the invoice from 1. */
    readonly note: number;
    readonly reason: CreditReason;
    readonly issuedAt: string;
    readonly lines: readonly CreditLine[];
    readonly subtotal: string;
    readonly taxes: readonly InvoiceTax[];
    readonly total: string;
    /** As much of the total as was paid already: it goes back to the prepaid balance. */
    readonly returned: string;
    /** Base64url SHA-256 of the key that it was asked for under: the same one is issued once. */
    readonly request?: string;
  },
  2
>;

/** How it would have been written before notes had the keys that they were asked for under. */
export type CreditNoteIssuedV1 = Event<'CreditNoteIssued', Omit<CreditNoteIssued['data'], 'request'>>;

export type InvoiceBecameOverdue = Event<'InvoiceBecameOverdue', { readonly at: string }>;

/** `step` counts the days of the schedule from 1. */
export type DunningNoticeSent = Event<'DunningNoticeSent', { readonly step: number; readonly at: string }>;

export const voidReasons = ['mistaken', 'duplicate', 'on_request', 'other'] as const;
export type VoidReason = (typeof voidReasons)[number];

/** All that is outstanding is asked for no more; nothing of it is billed again. */
export type InvoiceVoided = Event<'InvoiceVoided', { readonly reason: VoidReason; readonly cancelled: string }>;

export type InvoiceWrittenOff = Event<
  'InvoiceWrittenOff',
  { readonly amount: string; readonly reason: 'uncollectible' | 'insolvent' | 'disputed' | 'other' }
>;

export type InvoiceEvent =
  | InvoiceDrafted
  | InvoiceFinalized
  | InvoicePaymentApplied
  | InvoiceOverpaid
  | InvoicePaymentReversed
  | CreditNoteIssued
  | InvoiceBecameOverdue
  | DunningNoticeSent
  | InvoiceVoided
  | InvoiceWrittenOff;

/** `crn_` and 24 hex digits. */
export type CreditNoteId = `crn_${string}`;

const STREAM = 'invoice/';

export function invoiceStream(tenant: string, customer: string, sequence: number): string {
  return `${STREAM}${tenant}/${customer}/${sequence}`;
}

/** The same for the same place among the invoices of the same account. */
export function invoiceIdOf(stream: string): InvoiceId {
  return `inv_${createHash('sha256').update(stream).digest('hex').slice(0, 24)}`;
}

/** @param note counts the credit notes of the invoice from 1 */
export function creditNoteIdOf(stream: string, note: number): CreditNoteId {
  return `crn_${createHash('sha256').update(`${stream}/note/${note}`).digest('hex').slice(0, 24)}`;
}
