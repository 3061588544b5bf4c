import type { ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { decideHolds, readHolds } from '../../base/event-store/hold-totals.js';
import type { GrantedHold, HoldRequest, HoldsRefused, RefusedHold } from '../../base/event-store/unit-of-work.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { Hold } from '../../domains/limits/hold.js';
import type { Counted, LimitBook, LimitState } from '../../domains/limits/limit-book.js';
import { parseQuotaKey } from '../../domains/limits/quota-key.js';
import { rateLimitFields, type ServiceLimit, standingFields } from './rate-limit-fields.js';

/** What limits have to do with a request: what it has to get, what it is told, and why it is refused. */
export class LimitDesk {
  constructor(
    private readonly book: () => LimitBook,
    private readonly pool: Pick<Pool, 'query'>,
    private readonly clock: Clock,
  ) {}

  exposureOf(request: Counted, affordable: bigint): readonly HoldRequest[] {
    return this.book().exposureOf(request, affordable);
  }

  /** @param at epoch milliseconds */
  quotasOf(request: Counted, at: number): readonly HoldRequest[] {
    return this.book().quotasOf(request, at);
  }

  /** For a request that was interrupted, and gave everything back. */
  retake(holds: readonly Hold[]): readonly HoldRequest[] {
    return this.book().retake(holds, this.clock());
  }

  /** Where a caller stands now under the quotas and spending limits among its holds. */
  standing(granted: readonly GrantedHold[]): readonly ServiceLimit[] {
    const now = this.clock();
    return this.statesOf(granted).map((state) => serviceLimit(state, now));
  }

  /** Adds to an answer where its caller stands now. */
  tell(granted: readonly GrantedHold[] | undefined, reply: ServerResponse): void {
    if (!granted) return;
    const limits = this.standing(granted);
    const fields = limits.length === 0 ? {} : standingFields(limits);
    for (const name in fields) if (!reply.headersSent) reply.setHeader(name, fields[name]!);
  }

  /** For an offer to a caller who is known: the limits that would be in the way of a payment now, if there are any. */
  async inTheWayOf(request: Counted): Promise<readonly ServiceLimit[]> {
    const now = this.clock();
    const holds = this.quotasOf(request, now);
    if (holds.length === 0) return [];
    const totals = await readHolds(
      this.pool,
      holds.map(({ key }) => key),
    );
    const [outcome] = decideHolds([holds], totals).outcomes;
    if (!outcome || !('refused' in outcome)) return [];
    return this.statesOf(outcome.refused.refused).map((state) => serviceLimit(state, now));
  }

  /**
   * 429 with the limits in the way and when to come back. `price_above_limit` if the price alone is more than is ever allowed: no
   * time helps, another price may.
   * @param until when the same payment would be taken, in epoch milliseconds; absent if there was none
   */
  refusalOf({ refused }: Pick<HoldsRefused, 'refused'>, until?: number): Problem | 'price_above_limit' {
    const now = this.clock();
    const never = refused.filter(({ request }) => request.delta > request.limit!);
    if (never.some(isMoney)) return 'price_above_limit';
    const limits = this.statesOf(refused).map((state) => serviceLimit(state, now));
    const code = refused.every(isMoney) ? 'spending_limit_reached' : 'quota_exceeded';
    const names = refused.map(({ request }) => parseQuotaKey(request.key)!.limit);
    const refusal = (detail: string, fields: Readonly<Record<string, string>>) =>
      new Problem(code, detail, fields, undefined, names);
    if (never.length > 0) return refusal(NEVER, limits.length > 0 ? standingFields(limits) : {});
    // No limits: withdrawn, or changed to something else, since this was decided.
    const fields = limits.length > 0 ? rateLimitFields(limits) : { 'retry-after': '1' };
    if (until === undefined) return refusal(LATER, fields);
    const backAt = now + Number(fields['retry-after'] ?? Number.POSITIVE_INFINITY) * 1000;
    return refusal(backAt <= until ? SAME_PAYMENT : NEW_OFFER, fields);
  }

  /** The same where no other price helps: a limit may have been lowered below what the request asks for. */
  problemOf(refusal: Pick<HoldsRefused, 'refused'>, until?: number): Problem {
    const problem = this.refusalOf(refusal, until);
    return problem instanceof Problem ? problem : new Problem('spending_limit_reached');
  }

  private statesOf(holds: readonly (GrantedHold | RefusedHold)[]): LimitState[] {
    return holds.flatMap((hold) => this.book().stateOf(hold) ?? []);
  }
}

const LATER = 'Ask again when Retry-After is over';
const SAME_PAYMENT = 'Present the same payment again when Retry-After is over';
const NEW_OFFER = 'This payment lapses before there is more: come back without it, for a new offer';
const NEVER = 'This request asks for more than the quota ever allows';

function isMoney({ request }: RefusedHold): boolean {
  return parseQuotaKey(request.key)?.measure === 'amount';
}

const UNITS = { requests: undefined, units: 'units', amount: 'atomic-units' } as const;

function serviceLimit({ id, measure, quantity, resetsAt, used, windowMs }: LimitState, now: number): ServiceLimit {
  const unit = UNITS[measure];
  return {
    policy: id,
    quota: quantity,
    remaining: used < quantity ? quantity - used : 0n,
    windowSeconds: Math.round(windowMs / 1000),
    ...(resetsAt === undefined ? {} : { resetSeconds: Math.max(0, resetsAt - now) / 1000 }),
    ...(unit === undefined ? {} : { unit }),
  };
}
