import { Problem } from '../../../base/shared/problem.js';
import { paidIn } from '../../limits/credit.js';
import { InvoiceCommand, type InvoiceDecision } from '../invoice.decide.js';
import { type Invoice, outstandingOf } from '../invoice.evolve.js';
import type { InvoiceEvent } from '../invoice.js';
import { decideReverse, finalInvoice, ReversePayment } from '../money.decide.js';
import { type BankLine, referenceOf } from './bank-line.js';

/** Money of a line is for this invoice, or what went out is what had come in for it. */
export class MatchBankLine extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly invoice: string,
    readonly line: BankLine,
    /** Counts the matches of the line from 1: another one can be made once the one before was undone. */
    readonly round: number,
    /** Of a line below zero: which payment went back, if several fit. */
    readonly payment?: string,
  ) {
    super(tenant, customer, sequence);
  }
}

/** The line was not for this invoice. */
export class UndoBankLine extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly line: string,
    readonly round: number,
    readonly reference: string,
  ) {
    super(tenant, customer, sequence);
  }
}

/** @throws Problem as `finalInvoice`, `bank_line_currency`, `bank_line_unmatched`, `bank_line_ambiguous` */
export function decideMatch(invoice: Invoice | undefined, command: MatchBankLine): InvoiceDecision {
  const final = finalInvoice(invoice);
  if (command.line.currency !== final.finalized.currency) throw new Problem('bank_line_currency');
  return command.line.amount > 0n ? decideIncoming(final, command) : decideReturned(final, command);
}

/** As much as is outstanding pays the invoice; the rest is paid into the account, for what comes later. */
function decideIncoming(invoice: Invoice, command: MatchBankLine): InvoiceDecision {
  const { amount, id } = command.line;
  const reference = referenceOf(id, command.round);
  if (invoice.references.has(reference)) throw new Problem('bank_line_taken');
  const outstanding = outstandingOf(invoice);
  const rest = amount > outstanding ? amount - outstanding : 0n;
  const applied = amount - rest;
  const events: InvoiceEvent[] = [];
  if (applied > 0n) {
    const data = { source: 'transfer', reference, amount: applied.toString() } as const;
    events.push({ type: 'InvoicePaymentApplied', schema: 1, data });
  }
  if (rest > 0n) events.push({ type: 'InvoiceOverpaid', schema: 1, data: { reference, amount: rest.toString() } });
  const match = matchOf(command, reference);
  return { events, match, holds: [paidIn(command, amount * BigInt(invoice.finalized!.scale))] };
}

/** A transfer that came in and went back is reversed, all of it. */
function decideReturned(invoice: Invoice, command: MatchBankLine): InvoiceDecision {
  const wanted = -command.line.amount;
  const fits = transfersOf(invoice).filter(
    ({ amount, reference }) => amount === wanted && (command.payment ?? reference) === reference,
  );
  const [one, other] = fits;
  if (!one) throw new Problem('bank_line_unmatched');
  if (other) throw new Problem('bank_line_ambiguous');
  const { customer, sequence, tenant } = command;
  const reversed = decideReverse(invoice, new ReversePayment(tenant, customer, sequence, one.reference, 'refunded'));
  return { ...reversed, match: matchOf(command, one.reference) };
}

/** @throws Problem `bank_line_unmatched` if what is undone does not stand */
export function decideUndo(invoice: Invoice | undefined, command: UndoBankLine): InvoiceDecision {
  const { customer, line, reference, round, sequence, tenant } = command;
  const reversed = decideReverse(invoice, new ReversePayment(tenant, customer, sequence, reference, 'mistaken'));
  if (reversed.events.length === 0) throw new Problem('bank_line_unmatched');
  return { ...reversed, match: { line, round, undone: true } };
}

function matchOf({ invoice, line, round }: MatchBankLine, reference: string) {
  return { line: line.id, round, invoice, reference };
}

/** What stands of the transfers, with what was over. */
function transfersOf({ applied, overpaid }: Invoice): { readonly reference: string; readonly amount: bigint }[] {
  const amounts = new Map(overpaid);
  for (const { amount, reference, source } of applied.values()) {
    if (source === 'transfer') amounts.set(reference, (amounts.get(reference) ?? 0n) + BigInt(amount));
  }
  return [...amounts].map(([reference, amount]) => ({ reference, amount }));
}
