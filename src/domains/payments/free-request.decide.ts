import type { HoldRequest, Write } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type {
  FreeRequest,
  FreeRequestDelivered,
  FreeRequestFailed,
  FreeRequestGranted,
  FreeRequestId,
  FreeRequestInterrupted,
} from './free-request.js';
import { holdsOf, releaseAll } from './payment.holds.js';

/** What a command leads to; `decide` of the write is what `decision` says. */
export interface FreePlan extends Pick<Write, 'holds' | 'admits'> {
  readonly decision: ReturnType<Write['decide']>;
}

/** Takes from the allowance and the quotas, and claims the request's name; refused if any of them is used up. */
export class GrantFreeRequest {
  constructor(
    readonly id: FreeRequestId,
    readonly granted: Omit<FreeRequestGranted['data'], 'holds'>,
    /** All of them hard. */
    readonly holds: readonly HoldRequest[],
  ) {}
}

/** @param now epoch milliseconds @throws Problem if the name was used before: nothing is run twice unasked */
export function decideGrant(state: FreeRequest, { granted, holds, id }: GrantFreeRequest, now: number): FreePlan {
  if (state.status !== 'unknown') throw repeated(state, granted.requestDigest);
  const { gateway, payer, tenant } = granted;
  const data = { ...granted, holds: holdsOf(holds) };
  const event: FreeRequestGranted = { type: 'FreeRequestGranted', schema: 3, data };
  return {
    holds,
    admits: { tenant, payer },
    decision: {
      events: [event],
      attachments: [{ table: 'running_free_requests', row: { id, gateway, since: new Date(now) } }],
    },
  };
}

export class RecordFreeDelivery {
  constructor(
    readonly id: FreeRequestId,
    readonly delivered: FreeRequestDelivered['data'],
  ) {}
}

export function decideFreeDelivery(state: FreeRequest, { delivered, id }: RecordFreeDelivery): FreePlan {
  mustRun(state);
  const event: FreeRequestDelivered = { type: 'FreeRequestDelivered', schema: 1, data: delivered };
  return { decision: { events: [event], removals: [running(id)] } };
}

export class FailFreeRequest {
  constructor(
    readonly id: FreeRequestId,
    readonly failed: FreeRequestFailed['data'],
  ) {}
}

export function decideFreeFailure(state: FreeRequest, { failed, id }: FailFreeRequest): FreePlan {
  const event: FreeRequestFailed = { type: 'FreeRequestFailed', schema: 1, data: failed };
  return { holds: releaseAll(mustRun(state)), decision: { events: [event], removals: [running(id)] } };
}

/** Sent for a gateway that is gone. What ended meanwhile stays as it ended. */
export class InterruptFreeRequest {
  constructor(
    readonly id: FreeRequestId,
    readonly gateway: string,
  ) {}
}

export function decideFreeInterruption(state: FreeRequest, { gateway, id }: InterruptFreeRequest): FreePlan {
  if (state.status !== 'running' || state.granted.gateway !== gateway) return { decision: { events: [] } };
  const event: FreeRequestInterrupted = { type: 'FreeRequestInterrupted', schema: 1, data: { gateway } };
  return { holds: releaseAll(state.granted), decision: { events: [event], removals: [running(id)] } };
}

function repeated(state: Exclude<FreeRequest, { status: 'unknown' }>, requestDigest: string): Problem {
  if (state.granted.requestDigest !== requestDigest) return new Problem('request_name_reused');
  if (state.status === 'running') return new Problem('delivery_in_progress');
  return new Problem(state.status === 'delivered' ? 'answer_not_kept' : 'free_request_ended');
}

function mustRun(state: FreeRequest): FreeRequestGranted['data'] {
  if (state.status === 'running') return state.granted;
  throw new Problem('free_request_ended');
}

function running(id: FreeRequestId) {
  return { table: 'running_free_requests', key: { id } } as const;
}
