import { createHash } from 'node:crypto';
import { InvoiceCommand, type InvoiceDecision } from './invoice.decide.js';
import type { Invoice } from './invoice.evolve.js';
import type { DunningNoticeSent, InvoiceBecameOverdue } from './invoice.js';

const DAY_MS = 86_400_000;
/** Reminders of one day go out over so long, so that not all customers write back at once. */
const JITTER_MS = 6 * 3_600_000;

/** Time has passed for an invoice that is not paid. */
export class DunInvoice extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    /** By the tenant's clock, epoch milliseconds, as is all time here. */
    readonly now: number,
    /** Days after it was due on which the customer is reminded, rising. */
    readonly dunningDays: readonly number[],
  ) {
    super(tenant, customer, sequence);
  }
}

/** An invoice that is due is overdue from then on. Of reminders that are due together only the last one goes out. */
export function decideDun(invoice: Invoice | undefined, command: DunInvoice): InvoiceDecision {
  if (invoice?.finalized === undefined || !isUnpaid(invoice)) return { events: [] };
  const due = Date.parse(invoice.finalized.dueAt);
  if (command.now < due) return { events: [] };
  const at = new Date(command.now).toISOString();
  const overdue: InvoiceBecameOverdue = { type: 'InvoiceBecameOverdue', schema: 1, data: { at } };
  const step = command.dunningDays.filter((days, index) => noticeAt(command, due, days, index) <= command.now).length;
  const notice: DunningNoticeSent = { type: 'DunningNoticeSent', schema: 1, data: { step, at } };
  return { events: [...(invoice.overdue ? [] : [overdue]), ...(step > invoice.noticed ? [notice] : [])] };
}

function isUnpaid({ state }: Invoice): boolean {
  return state === 'open' || state === 'partially_paid';
}

/** When the next reminder is due; `undefined` after the last. @param due when the invoice is due */
export function nextNotice(command: DunInvoice, due: number): number | undefined {
  return command.dunningDays.map((days, index) => noticeAt(command, due, days, index)).find((at) => at > command.now);
}

/** The same whenever it is asked: the jitter is of the invoice and the step. */
function noticeAt({ customer, sequence, tenant }: DunInvoice, due: number, days: number, index: number): number {
  const digest = createHash('sha256').update(`${tenant}/${customer}/${sequence}/${index}`).digest();
  return due + days * DAY_MS + (digest.readUInt32BE() % JITTER_MS);
}
