import { Problem } from '../../base/shared/problem.js';
import { paidIn } from '../limits/credit.js';
import { halfUp } from './exact.js';
import { InvoiceCommand, type InvoiceDecision } from './invoice.decide.js';
import { type Invoice, outstandingOf } from './invoice.evolve.js';
import type { CreditLine, CreditNoteIssued, CreditReason } from './invoice.js';
import type { InvoiceLine, InvoiceTax } from './invoice-line.js';
import { creditableOf, type FinalInvoice, finalInvoice } from './money.decide.js';

/** So much of a line, before taxes. */
export interface Credited {
  readonly key: string;
  /** Minor units, above zero; all that is left of the line if absent. */
  readonly amount?: bigint;
}

/** Takes back part of an invoice, or all that is left of it. */
export class IssueCreditNote extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly reason: CreditReason,
    readonly of: readonly Credited[] | 'all',
    /** By the tenant's clock, epoch milliseconds. */
    readonly issuedAt: number,
    /** Base64url SHA-256 of the caller's key: the same one issues one note. */
    readonly request: string,
  ) {
    super(tenant, customer, sequence);
  }
}

/**
 * What is not paid yet is asked for no more; what was paid goes to the prepaid balance.
 *
 * @throws Problem as `finalInvoice`; `credit_exceeds_invoice`, `invalid_request`
 */
export function decideCreditNote(invoice: Invoice | undefined, command: IssueCreditNote): InvoiceDecision {
  if (invoice?.notes.some(({ request }) => request === command.request)) return { events: [] };
  const final = finalInvoice(invoice);
  const lines = command.of === 'all' ? wholeLines(final) : partsOfLines(final, command.of);
  const subtotal = lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const taxes = taxesOf(final, subtotal);
  const total = taxes.reduce((sum, { amount }) => sum + BigInt(amount), subtotal);
  if (total <= 0n || total > creditableOf(final)) throw new Problem('credit_exceeds_invoice');
  const outstanding = outstandingOf(final);
  const data: CreditNoteIssued['data'] = {
    ...{ note: final.notes.length + 1, reason: command.reason, issuedAt: new Date(command.issuedAt).toISOString() },
    ...{ lines, subtotal: subtotal.toString(), taxes, total: total.toString() },
    ...{ returned: (total > outstanding ? total - outstanding : 0n).toString(), request: command.request },
  };
  return {
    events: [{ type: 'CreditNoteIssued', schema: 2, data }],
    holds: [paidIn(command, total * BigInt(final.finalized.scale))],
  };
}

/** Lines below zero, too: the sum is what is left of the subtotal. */
function wholeLines(invoice: FinalInvoice): CreditLine[] {
  const left = invoice.finalized.lines.map((line) => ({ line, amount: leftOf(invoice, line) }));
  return left.filter(({ amount }) => amount !== 0n).map(({ amount, line }) => creditLine(line, amount));
}

function partsOfLines(invoice: FinalInvoice, of: readonly Credited[]): CreditLine[] {
  if (new Set(of.map(({ key }) => key)).size < of.length) {
    throw new Problem('invalid_request', 'A line is named once');
  }
  return of.map((one) => partOfLine(invoice, one));
}

function partOfLine(invoice: FinalInvoice, { amount, key }: Credited): CreditLine {
  const line = invoice.finalized.lines.find((one) => one.key === key);
  if (!line) throw new Problem('invalid_request', `The invoice has no line ${key}`);
  const left = leftOf(invoice, line);
  const credited = amount ?? left;
  if (credited <= 0n || credited > left) {
    throw new Problem('credit_exceeds_invoice', `Of the line ${key} ${left} is left`);
  }
  return creditLine(line, credited);
}

function creditLine({ description, key }: InvoiceLine, amount: bigint): CreditLine {
  return { key, description, amount: amount.toString() };
}

function leftOf({ notes }: Invoice, { amount, key }: InvoiceLine): bigint {
  const credited = notes.flatMap(({ lines }) => lines).filter((line) => line.key === key);
  return credited.reduce((left, line) => left - BigInt(line.amount), BigInt(amount));
}

/** In proportion, rounded on the sum of all notes: those that credit the whole subtotal credit the whole tax. */
function taxesOf({ finalized, notes }: FinalInvoice, subtotal: bigint): InvoiceTax[] {
  const whole = BigInt(finalized.subtotal);
  const before = notes.reduce((sum, note) => sum + BigInt(note.subtotal), 0n);
  return finalized.taxes.map(({ amount, name, percent }, index) => {
    const upTo = halfUp({ numerator: BigInt(amount) * (before + subtotal), denominator: whole });
    const earlier = notes.reduce((sum, note) => sum + BigInt(note.taxes[index]!.amount), 0n);
    return { name, percent, taxable: subtotal.toString(), amount: (upTo - earlier).toString() };
  });
}
