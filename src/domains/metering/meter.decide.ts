import type { Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';
import type { Meter, MeterPublished, MeterWithdrawn } from './meter.js';
import type { MeterRules } from './meter.schemas.js';

/** Says what a tenant counts, or changes what becomes of its late events. */
export class PublishMeter {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly rules: MeterRules,
    readonly expected?: Expected,
  ) {}
}

export class WithdrawMeter {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly expected?: Expected,
  ) {}
}

const NOTHING: Decision = { events: [] };

/**
 * The same rules again change nothing. @param version of the stream so far
 * @throws Problem `meter_fixed`: sums of values that were counted by different rules would mean nothing
 */
export function decidePublishMeter(state: Meter, { id, rules, tenant }: PublishMeter, version: number): Decision {
  if (state !== undefined && countedBy(state.rules) !== countedBy(rules)) throw new Problem('meter_fixed');
  if (state?.withdrawn === false && textOf(state.rules) === textOf(rules)) return NOTHING;
  const event: MeterPublished = { type: 'MeterPublished', schema: 1, data: { tenant, id, rules } };
  const row = { tenant, id, revision: version + 1, rules, withdrawn: false };
  return { events: [event], attachments: [{ table: 'meters', row }] };
}

export function decideWithdrawMeter(state: Meter, { id, tenant }: WithdrawMeter, version: number): Decision {
  if (state === undefined || state.withdrawn) return NOTHING;
  const event: MeterWithdrawn = { type: 'MeterWithdrawn', schema: 1, data: { tenant, id } };
  const row = { tenant, id, revision: version + 1, rules: state.rules, withdrawn: true };
  return { events: [event], attachments: [{ table: 'meters', row }] };
}

/** What may not change. */
function countedBy({ late: _late, ...counted }: MeterRules): string {
  return canonicalJson(counted as Json);
}

function textOf(rules: MeterRules): string {
  return canonicalJson(rules as unknown as Json);
}
