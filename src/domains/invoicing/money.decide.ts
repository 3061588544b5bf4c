import { Problem } from '../../base/shared/problem.js';
import { paidIn } from '../limits/credit.js';
import { InvoiceCommand, type InvoiceDecision } from './invoice.decide.js';
import { creditedOf, type Invoice, outstandingOf } from './invoice.evolve.js';
import type { InvoiceFinalized, InvoicePaymentReversed, InvoiceWrittenOff, PaymentSource } from './invoice.js';

/** Money came in for an invoice. `reference` names where from, and is applied once. */
export class ApplyPayment extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly source: PaymentSource,
    readonly reference: string,
    /** Minor units, above zero. */
    readonly amount: bigint,
  ) {
    super(tenant, customer, sequence);
  }
}

/** It is gone again, all of it. */
export class ReversePayment extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly reference: string,
    readonly reason: InvoicePaymentReversed['data']['reason'],
  ) {
    super(tenant, customer, sequence);
  }
}

/** Nobody will pay what is outstanding. */
export class WriteOffInvoice extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly reason: InvoiceWrittenOff['data']['reason'],
  ) {
    super(tenant, customer, sequence);
  }
}

const NOTHING: InvoiceDecision = { events: [] };

/** Final, and not cancelled. */
export type FinalInvoice = Invoice & { readonly finalized: InvoiceFinalized['data'] };

/** @throws Problem `unknown_invoice`, `invoice_not_final`, `invoice_void` */
export function finalInvoice(invoice: Invoice | undefined): FinalInvoice {
  if (invoice === undefined) throw new Problem('unknown_invoice');
  if (invoice.finalized === undefined) throw new Problem('invoice_not_final');
  if (invoice.state === 'void') throw new Problem('invoice_void');
  return invoice as FinalInvoice;
}

/** What credit notes can take back yet: what is asked for, or was paid. Minor units. */
export function creditableOf(invoice: FinalInvoice): bigint {
  return BigInt(invoice.finalized.total) - creditedOf(invoice) - invoice.writtenOff;
}

/**
 * The prepaid balance was paid in before; other money pays in now.
 *
 * @throws Problem as `finalInvoice`, `payment_exceeds_invoice`, and `payment_reference_reused` if a transfer of another amount has it
 */
export function decideApply(invoice: Invoice | undefined, command: ApplyPayment): InvoiceDecision {
  const { amount, reference, source } = command;
  const earlier = invoice?.applied.get(reference);
  if (earlier && source === 'transfer' && BigInt(earlier.amount) !== amount)
    throw new Problem('payment_reference_reused');
  if (invoice?.references.has(reference)) return NOTHING;
  const { finalized } = finalInvoice(invoice);
  if (amount > outstandingOf(invoice!)) throw new Problem('payment_exceeds_invoice');
  const data = { source, reference, amount: amount.toString() };
  return {
    events: [{ type: 'InvoicePaymentApplied', schema: 1, data }],
    ...(source !== 'prepaid' && { holds: [paidIn(command, amount * BigInt(finalized.scale))] }),
  };
}

/** What was not applied, or is reversed, changes nothing. */
export function decideReverse(invoice: Invoice | undefined, command: ReversePayment): InvoiceDecision {
  const applied = invoice?.applied.get(command.reference);
  const over = invoice?.overpaid.get(command.reference) ?? 0n;
  if (!invoice?.finalized || (!applied && over === 0n)) return NOTHING;
  const { reason, reference } = command;
  return {
    events: [{ type: 'InvoicePaymentReversed', schema: 1, data: { reference, reason } }],
    ...(applied?.source !== 'prepaid' && {
      holds: [paidIn(command, -(BigInt(applied?.amount ?? 0) + over) * BigInt(invoice.finalized.scale))],
    }),
  };
}

/** @throws Problem as `finalInvoice`, and `invoice_not_open` */
export function decideWriteOff(invoice: Invoice | undefined, command: WriteOffInvoice): InvoiceDecision {
  const final = finalInvoice(invoice);
  const amount = outstandingOf(final);
  if (amount === 0n && final.state === 'uncollectible') return NOTHING;
  if (amount === 0n) throw new Problem('invoice_not_open');
  return {
    events: [{ type: 'InvoiceWrittenOff', schema: 1, data: { amount: amount.toString(), reason: command.reason } }],
    holds: [paidIn(command, amount * BigInt(final.finalized.scale))],
  };
}
