import type { Attachment, Decision, HoldRequest } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import { paidIn } from '../limits/credit.js';
import type { MatchChange } from './bank/bank-matches.js';
import { type Invoice, outstandingOf } from './invoice.evolve.js';
import type { InvoiceDrafted, InvoiceEvent, InvoiceFinalized, InvoiceVoided, VoidReason } from './invoice.js';
import { partsOf } from './invoice-parts.js';

/** Names an invoice by its stream; what every command has. */
export abstract class InvoiceCommand {
  constructor(
    readonly tenant: string,
    readonly customer: string,
    readonly sequence: number,
  ) {}
}

/** A month is over, or the threshold is passed, and there is something to be billed. */
export class DraftInvoice extends InvoiceCommand {
  constructor(readonly draft: InvoiceDrafted['data']) {
    super(draft.tenant, draft.customer, draft.sequence);
  }
}

export class FinalizeInvoice extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly content: InvoiceFinalized['data'],
    /** The parties as they are now, kept beside the log. */
    readonly parties: Attachment,
  ) {
    super(tenant, customer, sequence);
  }
}

/** Cancels what is outstanding. */
export class VoidInvoice extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly reason: VoidReason,
  ) {
    super(tenant, customer, sequence);
  }
}

/** What a command comes to, and what it changes of the account's credit. */
export interface InvoiceDecision extends Decision {
  readonly events: readonly InvoiceEvent[];
  readonly holds?: readonly HoldRequest[];
  /** Of which invoice a line of the bank is, stored with the events. */
  readonly match?: MatchChange;
}

const NOTHING: InvoiceDecision = { events: [] };

/** Again, if the draft came to nothing and now covers more. */
export function decideDraft(invoice: Invoice | undefined, { draft }: DraftInvoice): InvoiceDecision {
  if (invoice !== undefined && invoice.state !== 'draft') return NOTHING;
  if (invoice !== undefined && invoice.drafted.period.to >= draft.period.to) return NOTHING;
  return { events: [{ type: 'InvoiceDrafted', schema: 1, data: draft }] };
}

/** What is owed already for commitments is in the account's credit since they were delivered; the rest is added now. */
export function decideFinalize(invoice: Invoice | undefined, command: FinalizeInvoice): InvoiceDecision {
  const { content, parties } = command;
  // A draft that covers more since it was reckoned is reckoned again.
  if (invoice?.state !== 'draft' || invoice.drafted.period.to !== content.cut.to) return NOTHING;
  const { requests } = partsOf(content);
  const added = BigInt(content.total) * BigInt(content.scale) - requests;
  return {
    events: [{ type: 'InvoiceFinalized', schema: 1, data: content }],
    attachments: [parties],
    ...(added !== 0n && { holds: [paidIn(command, -added)] }),
  };
}

/** @throws Problem `unknown_invoice`, `invoice_not_final`, `invoice_not_open` */
export function decideVoid(invoice: Invoice | undefined, command: VoidInvoice): InvoiceDecision {
  if (invoice === undefined) throw new Problem('unknown_invoice');
  if (invoice.finalized === undefined) throw new Problem('invoice_not_final');
  const outstanding = outstandingOf(invoice);
  // What was paid before may have gone back since.
  if (invoice.state === 'void' && outstanding === 0n) return NOTHING;
  if (outstanding === 0n) throw new Problem('invoice_not_open');
  const data = { reason: command.reason, cancelled: outstanding.toString() };
  const event: InvoiceVoided = { type: 'InvoiceVoided', schema: 1, data };
  return { events: [event], holds: [paidIn(command, outstanding * BigInt(invoice.finalized.scale))] };
}
