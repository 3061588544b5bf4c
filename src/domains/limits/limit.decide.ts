import type { Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import { invalidRequest } from '../../base/shared/problem.js';
import type { Limit, LimitPublished, LimitWithdrawn } from './limit.js';
import type { LimitRules } from './limit.schemas.js';

/** Says what a tenant allows; replaces what was said under the same id. */
export class PublishLimit {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly rules: LimitRules,
    readonly expected?: Expected,
  ) {}
}

export class WithdrawLimit {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly expected?: Expected,
  ) {}
}

const NOTHING: Decision = { events: [] };

/** The same rules again change nothing. @param version of the stream so far @throws Problem for a payer of `per: tenant` */
export function decidePublish(state: Limit, { id, rules, tenant }: PublishLimit, version: number): Decision {
  if (rules.payer !== undefined && rules.per === 'tenant') {
    const pointer = '#/per';
    throw invalidRequest([{ pointer, detail: 'a limit of one payer counts per payer' }]);
  }
  if (state !== undefined && canonicalJson(state as Json) === canonicalJson(rules as Json)) return NOTHING;
  const event: LimitPublished = { type: 'LimitPublished', schema: 2, data: { tenant, id, rules } };
  return { events: [event], attachments: [{ table: 'limits', row: { tenant, id, revision: version + 1, rules } }] };
}

export function decideWithdraw(state: Limit, { id, tenant }: WithdrawLimit): Decision {
  if (state === undefined) return NOTHING;
  const event: LimitWithdrawn = { type: 'LimitWithdrawn', schema: 1, data: { tenant, id } };
  return { events: [event], removals: [{ table: 'limits', key: { tenant, id } }] };
}
