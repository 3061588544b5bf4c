import type { ChargeStatus } from '../settlement/cards/card-charge.evolve.js';
import { InvoiceCommand, type InvoiceDecision } from './invoice.decide.js';
import { type Invoice, outstandingOf } from './invoice.evolve.js';
import { ApplyPayment, decideApply } from './money.decide.js';

/** A card paid so much: as much of it as the invoice needs counts for it. */
export class CollectByCard extends InvoiceCommand {
  constructor(
    tenant: string,
    customer: string,
    sequence: number,
    readonly reference: string,
    /** Minor units, above zero. */
    readonly amount: bigint,
  ) {
    super(tenant, customer, sequence);
  }
}

/** What the invoice does not need is not refused: the money is there, and goes back. */
export function decideCollect(invoice: Invoice | undefined, command: CollectByCard): InvoiceDecision {
  const { amount, customer, reference, sequence, tenant } = command;
  const outstanding = invoice === undefined || invoice.state === 'void' ? 0n : outstandingOf(invoice);
  const taken = amount < outstanding ? amount : outstanding;
  if (taken === 0n) return { events: [] };
  return decideApply(invoice, new ApplyPayment(tenant, customer, sequence, 'card', reference, taken));
}

/** The newest charge for an invoice. */
export interface LastCharge {
  readonly attempt: number;
  /** Reminders that had gone out. */
  readonly notice: number;
  readonly method: string;
  readonly state: ChargeStatus;
  readonly final: boolean;
}

/**
 * Which attempt is due now: the first when the invoice is final; another one after each reminder, unless it was declined for good; or with
 * another card. `undefined`: none, also after one that succeeded, even if its money is gone again.
 */
export function attemptDue(invoice: Invoice, last: LastCharge | undefined, method: string): number | undefined {
  if (invoice.state !== 'open' && invoice.state !== 'partially_paid') return undefined;
  if (last === undefined) return 1;
  const { attempt, final, notice, state } = last;
  if (state !== 'declined' && state !== 'action_required') return undefined;
  const isAnother = method !== last.method;
  const isReminded = state === 'declined' && !final && invoice.noticed > notice;
  return isAnother || isReminded ? attempt + 1 : undefined;
}
