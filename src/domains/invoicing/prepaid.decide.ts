import { InvoiceCommand } from './invoice.decide.js';
import { type Invoice, outstandingOf } from './invoice.evolve.js';
import type { InvoicePaymentApplied, InvoicePaymentReversed } from './invoice.js';
import type { Applications, PrepaidApplied, PrepaidTakenBack } from './prepaid.js';

/** An account has been paid into, and has an open invoice. All of it as it was read, at one moment. */
export class ApplyPrepaid extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    /** Of the invoice's stream. */
    readonly version: number,
    /** Of the stream of applications, all of which the balance knows. */
    readonly turn: number,
    /** What was paid in and is not used, above zero, in atomic units. */
    readonly balance: bigint,
  ) {
    super(tenant, customer, sequence);
  }
}

/** More of an account's balance was applied than is paid into it, now that money has gone again. */
export class TakeBackPrepaid {
  constructor(
    readonly tenant: string,
    readonly customer: string,
    /** Of the stream of applications, all of which the balance knows. */
    readonly turn: number,
  ) {}
}

export interface PrepaidDecision {
  readonly claim: PrepaidApplied;
  readonly event: InvoicePaymentApplied;
}

/** As much as is there and outstanding, in whole minor units. */
export function decidePrepaid(
  invoice: Invoice,
  { balance, sequence, turn }: ApplyPrepaid,
): PrepaidDecision | undefined {
  if (!invoice.finalized || invoice.state === 'void') return undefined;
  const outstanding = outstandingOf(invoice);
  const there = balance / BigInt(invoice.finalized.scale);
  const amount = there < outstanding ? there : outstanding;
  if (amount <= 0n) return undefined;
  // No reference that an operator may give has a colon.
  const used = { reference: `prepaid:${turn + 1}`, amount: amount.toString() };
  return {
    claim: { type: 'PrepaidApplied', schema: 1, data: { sequence, ...used } },
    event: { type: 'InvoicePaymentApplied', schema: 1, data: { source: 'prepaid', ...used } },
  };
}

export interface TakenBack {
  readonly claim: PrepaidTakenBack;
  /** Absent if somebody reversed the payment before. */
  readonly event?: InvoicePaymentReversed;
}

/**
 * The newest application goes. One to a void invoice stays, since nobody would be asked for the money again: the balance is below zero
 * then until more is paid in.
 */
export function decideTakeBack(
  applications: Applications,
  invoiceOf: (sequence: number) => Invoice,
): TakenBack | undefined {
  const newest = applications.findLast(({ sequence }) => invoiceOf(sequence).state !== 'void');
  if (!newest) return undefined;
  const { reference, sequence } = newest;
  const claim: PrepaidTakenBack = { type: 'PrepaidTakenBack', schema: 1, data: { sequence, reference } };
  if (!invoiceOf(sequence).applied.has(reference)) return { claim };
  return { claim, event: { type: 'InvoicePaymentReversed', schema: 1, data: { reference, reason: 'reverted' } } };
}
