import type { ExactJson } from '../../base/shared/exact-json.js';
import type { ProblemCode } from '../../base/shared/problem.js';
import { type Fault, readUsageEvent, type UsageEvent, VOIDED } from './cloud-event.js';
import type { Metered } from './metered.js';
import { meterEvent } from './metered.js';
import type { MetersByType } from './meters.queries.js';

/** Clocks of senders may be ahead by this much, in milliseconds. */
export const AHEAD_MS = 300_000;
const DAY_MS = 86_400_000;

export interface Rejection {
  readonly result: 'rejected';
  readonly reason: ProblemCode;
  readonly detail?: string;
  /** Members from the event on. */
  readonly path?: readonly PropertyKey[];
}

/** What became of one event that was sent. */
export type UsageResult = { readonly result: 'accepted' | 'duplicate' } | Rejection;

/** An event that can be read, and what is counted of it, or why it may not be taken unless it was taken before. */
export interface Candidate {
  /** Place among the events that were sent. */
  readonly index: number;
  readonly event: UsageEvent;
  readonly metered: Metered;
  readonly refusal?: Rejection;
}

export interface UsageBatch {
  /** By place; `undefined` where the store decides. */
  readonly results: (UsageResult | undefined)[];
  readonly candidates: readonly Candidate[];
}

/** Pure: all that can be said of a batch without looking at what was sent before. @param now epoch milliseconds */
export function readBatch(sent: readonly ExactJson[], meters: MetersByType, now: number): UsageBatch {
  const results: (UsageResult | undefined)[] = [];
  const candidates: Candidate[] = [];
  for (const [index, one] of sent.entries()) {
    const event = readUsageEvent(one);
    if ('detail' in event) {
      results.push(rejection('invalid_usage_event', event));
      continue;
    }
    results.push(undefined);
    candidates.push({ index, event, ...counted(event, meters, now) });
  }
  return { results, candidates };
}

function counted(event: UsageEvent, meters: MetersByType, now: number): Pick<Candidate, 'metered' | 'refusal'> {
  const refused = (refusal: Rejection) => ({ metered: {}, refusal });
  if (event.time > now + AHEAD_MS) {
    return refused(rejection('usage_in_future', { path: ['time'], detail: 'is in the future' }));
  }
  if (event.type === VOIDED) return { metered: {} };
  const counting = meters.get(event.type);
  if (!counting)
    return refused(rejection('usage_type_unknown', { path: ['type'], detail: 'no meter counts this type' }));
  const days = Math.min(...counting.map(({ late }) => (late.kind === 'reject' ? late.days : Infinity)));
  if (now - event.time > days * DAY_MS) {
    return refused(rejection('usage_too_late', { path: ['time'], detail: `is more than ${days} days ago` }));
  }
  const metered = meterEvent(event, counting);
  return isFault(metered) ? refused(rejection('invalid_usage_event', metered)) : { metered };
}

function isFault(metered: Metered | Fault): metered is Fault {
  return Array.isArray(metered.path);
}

export function rejection(reason: ProblemCode, fault?: Fault): Rejection {
  return { result: 'rejected', reason, ...fault };
}
