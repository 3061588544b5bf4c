import type { ServerResponse } from 'node:http';
import { Problem } from '../../base/shared/problem.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import { type AdmissionDesk, idOf, type Repeat } from './admission.js';
import type { Leave, UpstreamLanes } from './lanes/upstream-lanes.js';
import type { PaidCall } from './paid-call.js';
import type { ServiceLimit } from './rate-limit-fields.js';
import type { RateLimits } from './rate-limits.js';
import { presentableUntil } from './terms.js';

export type Turn =
  /** The upstream is free for this request; `leave` must be called when it is done there. */
  | { readonly kind: 'turn'; readonly leave: Leave }
  | { readonly kind: 'limited'; readonly limit: ServiceLimit }
  /** The client went away while it waited. */
  | { readonly kind: 'gone' }
  | Repeat;

/**
 * When a sound payment may be written down and its request run: within its caller's rate, and when the upstream has room.
 * Strangers never come here, and whoever is refused here is not charged. A repeat is answered whatever the rate and the load.
 */
export class TurnDesk {
  constructor(
    private readonly rates: RateLimits,
    private readonly lanes: UpstreamLanes,
    private readonly admissions: Pick<AdmissionDesk, 'find'>,
  ) {}

  /** @param now epoch milliseconds @throws Problem `route_busy`, `shutting_down` */
  async take(call: PaidCall, payment: DecodedPayment, now: number, reply: ServerResponse): Promise<Turn> {
    const { route } = call;
    const limit = await this.rates.over(route, payment.authorization.from);
    if (limit !== undefined || this.lanes.isBusy(route)) {
      const earlier = await this.admissions.find(idOf(call, payment));
      if (earlier) return earlier;
    }
    if (limit !== undefined) return { kind: 'limited', limit };
    const leave = await this.enter(call, payment, now, reply);
    return leave ? { kind: 'turn', leave } : { kind: 'gone' };
  }

  /**
   * The upstream's turn for a request whose payment has moved already. `undefined`: the client went away meanwhile.
   * @throws Problem `paid_not_run`
   */
  async enterPaid({ route, urgency }: PaidCall, reply: ServerResponse): Promise<Leave | undefined> {
    try {
      return await this.lanes.enter(route, urgency, Number.POSITIVE_INFINITY, reply);
    } catch (error) {
      throw error instanceof Problem ? new Problem('paid_not_run', error.code, error.headers) : error;
    }
  }

  /** The upstream's turn alone, for a request that is run again. `undefined`: the client went away meanwhile. */
  async enter(call: PaidCall, payment: DecodedPayment, now: number, reply: ServerResponse): Promise<Leave | undefined> {
    const { route, urgency } = call;
    return this.lanes.enter(route, urgency, presentableUntil(call, payment) - now, reply);
  }
}
