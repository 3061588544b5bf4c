import type { Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import { type Allowance, type AllowanceRemoved, type AllowanceSet, EACH } from './allowance.js';

/** Gives a customer an allowance, or each proven customer one (`payer` absent). */
export class SetAllowance {
  constructor(
    readonly tenant: string,
    readonly payer: Address | undefined,
    readonly allowance: Allowance,
    readonly expected?: Expected,
  ) {}
}

export class RemoveAllowance {
  constructor(
    readonly tenant: string,
    readonly payer: Address | undefined,
    readonly expected?: Expected,
  ) {}
}

/** What was used in the period so far stays used. @param now epoch milliseconds @param version events in the stream so far */
export function decideSetAllowance(
  state: Allowance | undefined,
  { allowance, payer, tenant }: SetAllowance,
  now: number,
  version: number,
): Decision {
  const { counts, limit, period } = allowance;
  if (state?.counts === counts && state.limit === limit && state.period === period) return { events: [] };
  const event: AllowanceSet = { type: 'AllowanceSet', schema: 1, data: { ...ofPayer(payer), counts, limit, period } };
  const row = {
    tenant,
    payer: payer ?? EACH,
    counts,
    quota: limit,
    period,
    revision: version + 1,
    set_at: new Date(now),
  };
  return { events: [event], attachments: [{ table: 'allowances', row }] };
}

export function decideRemoveAllowance(state: Allowance | undefined, { payer, tenant }: RemoveAllowance): Decision {
  if (state === undefined) return { events: [] };
  const event: AllowanceRemoved = { type: 'AllowanceRemoved', schema: 1, data: ofPayer(payer) };
  return { events: [event], removals: [{ table: 'allowances', key: { tenant, payer: payer ?? EACH } }] };
}

function ofPayer(payer: Address | undefined): { readonly payer?: Address } {
  return payer === undefined ? {} : { payer };
}
