import type { Decision } from '../../base/event-store/unit-of-work.js';
import { AccountCommand, changed, eventOf, mustBeOpen, NOTHING, type State } from './account.decide.js';
import type { CustomerId } from './account.js';

/** Whether an invoice is overdue: then nothing more may be owed until none is. A suspension for another reason stays. */
export class FollowInvoices extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly overdue: boolean,
  ) {
    super(tenant, customer);
  }
}

export function decideFollowInvoices(state: State, command: FollowInvoices, _now: number, version: number): Decision {
  const { customer, overdue } = command;
  const { suspended } = mustBeOpen(state);
  if (overdue && suspended === undefined) {
    return changed(state, command, version, eventOf('AccountSuspended', { customer, reason: 'overdue' }));
  }
  if (overdue || suspended !== 'overdue') return NOTHING;
  return changed(state, command, version, eventOf('AccountResumed', { customer }));
}
