import type { ServerResponse } from 'node:http';
import type { GrantedHold, HoldRequest, HoldsRefused, RefusedHold } from '../../base/event-store/unit-of-work.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { Hold } from '../../domains/limits/hold.js';
import type { Counted, LimitBook, LimitState } from '../../domains/limits/limit-book.js';
import { rateLimitFields, type ServiceLimit, standingFields } from './rate-limit-fields.js';

/** What limits have to do with a request: what it has to get, what it is told, and why it is refused. */
export class LimitDesk {
  constructor(
    private readonly book: () => LimitBook,
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

  /**
   * 429 with the limits in the way and when to come back. `price_above_limit` if the price alone is more than is ever allowed: no
   * time helps, another price may.
   */
  refusalOf({ refused }: Pick<HoldsRefused, 'refused'>): Problem | 'price_above_limit' {
    const now = this.clock();
    const states = this.statesOf(refused);
    const never = refused.filter(({ request }) => request.delta > request.limit!);
    if (this.statesOf(never).some(({ measure }) => measure === 'amount')) return 'price_above_limit';
    const limits = states.map((state) => serviceLimit(state, now));
    const fields = never.length > 0 ? standingFields(limits) : rateLimitFields(limits);
    const code = states.every(({ measure }) => measure === 'amount') ? 'spending_limit_reached' : 'quota_exceeded';
    const detail = never.length > 0 ? 'This request asks for more than the quota ever allows' : undefined;
    return new Problem(
      code,
      detail,
      fields,
      undefined,
      states.map(({ id }) => id),
    );
  }

  /** The same where no other price helps: a limit may have been lowered below what the request asks for. */
  problemOf(refusal: Pick<HoldsRefused, 'refused'>): Problem {
    const problem = this.refusalOf(refusal);
    return problem instanceof Problem ? problem : new Problem('spending_limit_reached');
  }

  private statesOf(holds: readonly (GrantedHold | RefusedHold)[]): LimitState[] {
    return holds.flatMap((hold) => this.book().stateOf(hold) ?? []);
  }
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
