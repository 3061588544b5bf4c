import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import type { StandingBook } from '../../domains/customers/standing-book.js';
import type { Counted } from '../../domains/limits/limit-book.js';
import type { CatalogueFeed } from '../../domains/pricing/catalogue-feed.js';
import type { CircumstancesPort } from '../../domains/pricing/circumstances.port.js';
import type { Caller, CallerDesk } from './caller.js';
import type { FreeDesk, Metered } from './free-desk.js';
import type { LimitDesk } from './limit-desk.js';
import type { OfferDesk } from './offer-desk.js';
import type { PaidCall } from './paid-call.js';
import { standingFields } from './rate-limit-fields.js';
import { sendWhole } from './reply.js';
import { tariffFor } from './tariff-for.js';
import { inputsOf, priceOf } from './terms.js';
import { paysIn } from './top-ups.js';

export interface UnpaidDeskParts {
  readonly callers: CallerDesk;
  readonly standings: StandingBook;
  readonly free: FreeDesk;
  readonly limits: LimitDesk;
  readonly offers: OfferDesk;
  readonly catalogue: CatalogueFeed;
  readonly circumstances: CircumstancesPort;
  readonly clock: Clock;
}

/** What a request gets that does not pay, or whose payment was not taken. */
export class UnpaidDesk {
  constructor(private readonly parts: UnpaidDeskParts) {}

  /**
   * Free within the allowance of a customer that proves who it is; otherwise what it costs, and which limits would refuse its
   * payment now. @throws Problem
   */
  async serve(call: PaidCall, reply: ServerResponse): Promise<void> {
    const found = this.callerOf(call);
    const caller = found instanceof Promise ? await found : found;
    if (!caller?.proven || paysIn(call)) return this.offerTo(caller, call, reply);
    const free = await this.parts.free.serve(call, caller.payer, () => this.meter(call, caller), reply);
    if (free === 'answered') return;
    const standing = [...free.standing, ...(await this.parts.limits.inTheWayOf(this.counted(call, caller)))];
    this.offerTo(caller, call, reply, undefined, standing.length > 0 ? standingFields(standing) : undefined);
  }

  /** A new offer, for whom the request names, and why the payment was not taken. @throws Problem */
  async refuse(
    call: PaidCall,
    reply: ServerResponse,
    reason: Reason,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.offerTo(await this.callerOf(call), call, reply, reason, headers);
  }

  private offerTo(
    caller: Caller | undefined,
    call: PaidCall,
    reply: ServerResponse,
    error?: Reason,
    headers?: Readonly<Record<string, string>>,
  ): void {
    const offer = this.parts.offers.offer(call, caller, this.parts.catalogue.current, this.parts.clock(), error);
    sendWhole(reply, 402, headers ? { ...offer.headers, ...headers } : offer.headers, offer.body);
  }

  /** @throws Problem `payer_denied`, or what `identify` says */
  private callerOf(call: PaidCall): Caller | undefined | Promise<Caller> {
    const found = this.parts.callers.identify(call.message, call.tenant, call.route.id);
    const served = (caller: Caller): Caller => {
      if (this.parts.standings.isDenied(call.tenant.id, caller.payer)) throw new Problem('payer_denied');
      return caller;
    };
    return found instanceof Promise ? found.then(served) : found && served(found);
  }

  private meter(call: PaidCall, caller: Caller): Metered {
    const { asked, priced, version } = this.priced(call, caller);
    const { class: served, units } = priced;
    return {
      ...{ tariff: { id: version.id, version: version.version }, urgency: call.urgency },
      ...{ units, meter: version.tariff.meter },
      ...(served === undefined ? {} : { class: served }),
      inputs: inputsOf(call, priced, asked),
    };
  }

  /** What limits would count if the request were paid for now. */
  private counted(call: PaidCall, caller: Caller): Counted {
    const { priced, version } = this.priced(call, caller);
    const { amount, units } = priced;
    const { meter } = version.tariff;
    return { tenant: call.tenant, route: call.route.id, payer: caller.payer, units, meter, amount };
  }

  private priced(call: PaidCall, caller: Caller) {
    const { catalogue, circumstances, clock } = this.parts;
    const at = clock();
    const version = tariffFor(call, caller, catalogue.current, circumstances, at);
    if (!version) throw new Problem('route_not_found');
    const used = circumstances.usedBy(call.tenant.id, caller.payer, version);
    const asked = { at, load: circumstances.load(call.route), used };
    return { version, asked, priced: priceOf(call, version.tariff, asked) };
  }
}
