import type { Expected } from '../../base/event-store/expected.js';
import type { Decision, Removal } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import {
  type Customer,
  type CustomerDescribed,
  type CustomerDetails,
  type CustomerErased,
  customerFields,
} from './customer.js';

/** Replaces all that is noted about a payer. */
export class DescribeCustomer {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly details: CustomerDetails,
    readonly expected?: Expected,
  ) {}
}

/** Deletes what is kept beside the events about a payer. */
export class EraseCustomer {
  constructor(
    readonly tenant: string,
    readonly payer: Address,
    readonly expected?: Expected,
  ) {}
}

/** What stands beside the events when a command is decided. */
export interface Beside {
  /** Events in the stream so far. */
  readonly version: number;
  /** Noted so far. */
  readonly details: CustomerDetails;
  /** What other domains keep for the payer and would give up on erasure. */
  readonly kept: readonly Removal[];
}

const NOTHING: Decision = { events: [] };

/** The same details again change nothing, so that a repeat is harmless. @param now epoch milliseconds */
export function decideDescribe(state: Customer, command: DescribeCustomer, beside: Beside, now: number): Decision {
  const { details, payer, tenant } = command;
  const known = state.status === 'described' ? beside.details : {};
  if (state.status === 'described' && customerFields.every((field) => known[field] === details[field])) return NOTHING;
  const fields = customerFields.filter((field) => details[field] !== undefined);
  const event: CustomerDescribed = { type: 'CustomerDescribed', schema: 1, data: { payer, fields } };
  const row = { tenant, payer, ...details, revision: beside.version + 1, updated_at: new Date(now) };
  return { events: [event], attachments: [{ table: 'customer_details', row }] };
}

/** Also for a payer about whom nothing was noted, if something is kept; otherwise there is nothing to erase. */
export function decideErase(state: Customer, { payer, tenant }: EraseCustomer, { kept }: Beside): Decision {
  if (state.status !== 'described' && kept.length === 0) return NOTHING;
  const event: CustomerErased = { type: 'CustomerErased', schema: 1, data: { payer } };
  return { events: [event], removals: [{ table: 'customer_details', key: { tenant, payer } }, ...kept] };
}
