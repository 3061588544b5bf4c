import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CommandBus } from '@nestjs/cqrs';
import type { Token } from '../../base/chain/chain.js';
import { VersionConflict } from '../../base/event-store/event.js';
import { type HoldRequest, HoldsRefused, type StreamClaim } from '../../base/event-store/unit-of-work.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import { type DecodedPayment, decodePayment, type PaymentHeaders } from '../../base/x402/payment-header.js';
import type { StandingBook } from '../../domains/customers/standing-book.js';
import type { PaymentAfter } from '../../domains/payments/handler-for.js';
import { RestartDelivery } from '../../domains/payments/payment.decide.js';
import { quotasOf } from '../../domains/payments/payment.holds.js';
import type { Payment, PaymentAuthorized, PaymentId } from '../../domains/payments/payment.js';
import type { CatalogueFeed } from '../../domains/pricing/catalogue-feed.js';
import type { QuoteLock } from '../../domains/pricing/quote-lock.js';
import { asProblem } from '../problem.js';
import { type Admission, type AdmissionDesk, idOf } from './admission.js';
import type { Admitted, DeliveryDesk } from './delivery.js';
import type { FloodGuard } from './flood-guard.js';
import type { LimitDesk } from './limit-desk.js';
import { hostOf, type PaidCall, paidCall, splitTarget } from './paid-call.js';
import { failureHeaders } from './payment-answer.js';
import { readBody } from './read-body.js';
import type { ReplayDesk, Replayed } from './replay.js';
import { sendLimited, sendProblem, sendWhole } from './reply.js';
import { checkTerms, type TermsVerdict } from './terms.js';
import type { UnpaidDesk } from './unpaid-desk.js';

/** Time to record deliveries that were given up, in milliseconds. */
const GIVE_UP_MS = 3_000;
const WRONG_SIGNATURE: Reason = 'invalid_exact_evm_payload_signature';

export interface DataPlaneParts {
  readonly catalogue: CatalogueFeed;
  readonly quotes: QuoteLock;
  readonly standings: StandingBook;
  readonly guard: FloodGuard;
  readonly admissions: AdmissionDesk;
  readonly deliveries: DeliveryDesk;
  readonly limits: LimitDesk;
  readonly unpaid: UnpaidDesk;
  readonly replays: ReplayDesk;
  readonly bus: CommandBus;
  /** By network and asset of the tenants. */
  readonly tokenOf: (tenant: PaidCall['tenant']) => Token | undefined;
  /** Id of this gateway's lease. */
  readonly gateway: string;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The flow of one request to a priced route: offer, or check, admit, deliver, answer. */
export class DataPlane {
  private running = 0;
  private idle: (() => void) | undefined;

  constructor(private readonly parts: DataPlaneParts) {}

  /** Never rejects: every failure becomes a reply. */
  async handle(message: IncomingMessage, reply: ServerResponse): Promise<void> {
    this.running++;
    try {
      await this.serve(message, reply);
    } catch (error) {
      // What is left of a body that was not read would be taken for the next request.
      if (!message.complete) reply.shouldKeepAlive = false;
      const problem = asProblem(error);
      if (problem.status >= 500)
        this.parts.log.error({ code: problem.code, err: (error as Error).message }, 'request failed');
      sendProblem(reply, problem);
    } finally {
      this.running--;
      if (this.running === 0) this.idle?.();
    }
  }

  /**
   * Resolves when no request is running. Deliveries that run longer than `timeoutMs` are given up, and what still waits
   * for its settlement some seconds later is left to its client's repeat.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.running === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.idle = resolve;
    });
    const abort = setTimeout(() => {
      this.parts.deliveries.abort();
      this.parts.unpaid.abort();
    }, timeoutMs);
    const leave = setTimeout(() => this.idle?.(), timeoutMs + GIVE_UP_MS);
    await idle;
    clearTimeout(abort);
    clearTimeout(leave);
  }

  private async serve(message: IncomingMessage, reply: ServerResponse): Promise<void> {
    const target = splitTarget(message.url ?? '/');
    const host = hostOf(message);
    const catalogue = this.parts.catalogue.current;
    if (message.method === 'OPTIONS') return sendPreflight(reply, message, catalogue.allowedMethods(host, target.path));
    const match = catalogue.match(host, message.method ?? '', target.path);
    if (match === 'method_not_allowed') {
      return sendProblem(reply, new Problem(match), { allow: catalogue.allowedMethods(host, target.path).join(', ') });
    }
    if (!match) throw new Problem(catalogue.tenantFor(host) ? 'route_not_found' : 'tenant_not_found');
    const read = readBody(message, match.route.maxBodyBytes);
    const body = read instanceof Promise ? await read : read;
    const token = this.parts.tokenOf(match.tenant);
    if (!token) throw new Problem('chain_unavailable');
    const call = paidCall(match, token, message, target, body, this.parts.publicUrl);
    const payment = decodePayment(paymentHeadersOf(message));
    if (payment) return this.present(call, payment, reply);
    const over = this.parts.guard.overOffers(call, this.parts.clock());
    if (over) sendLimited(reply, over);
    else await this.parts.unpaid.serve(call, reply);
  }

  private async present(call: PaidCall, payment: DecodedPayment, reply: ServerResponse): Promise<void> {
    const { admissions, catalogue, clock, guard, quotes, standings } = this.parts;
    const now = clock();
    const checked = checkTerms(call, payment, catalogue.current, quotes, now);
    const terms =
      checked.ok || checked.reason !== 'catalogue_behind' ? checked : await this.caughtUp(call, payment, now);
    const denied = standings.isDenied(call.tenant.id, payment.authorization.from);
    const by = guard.present(call, payment);
    if (by.proof === 'wrong') return this.refuseSignature(call, reply, terms.ok ? WRONG_SIGNATURE : terms.reason, now);
    const look = () => {
      if (terms.ok && !denied) return admissions.admit(call, by, terms, now);
      return this.earlier(call, payment, denied || terms.ok ? 'denied' : terms.reason);
    };
    const looked = await guard.lookUp(call, by, now, look);
    if ('over' in looked) return sendLimited(reply, looked.over);
    const admission = looked.value;
    switch (admission.kind) {
      case 'refused':
        if (admission.reason !== WRONG_SIGNATURE) return this.parts.unpaid.refuse(call, reply, admission.reason);
        guard.failed(call, by, now);
        return this.refuseSignature(call, reply, admission.reason, now);
      case 'exists':
        return this.repeat(call, payment, admission.id, admission.payment, admission.mine, reply);
      case 'admitted':
        guard.paid(now);
        this.parts.limits.tell(admission.payment.granted, reply);
        try {
          return await this.deliver(call, payment, admission, reply);
        } finally {
          admission.done();
        }
    }
  }

  /** The terms may have lapsed, or the payer been denied, since this payment was taken; then it is a repeat. */
  private async earlier(call: PaidCall, payment: DecodedPayment, refusal: Reason | 'denied'): Promise<Admission> {
    const earlier = await this.parts.admissions.find(idOf(call, payment));
    if (earlier) return earlier;
    if (refusal === 'denied') throw new Problem('payer_denied');
    return { kind: 'refused', reason: refusal };
  }

  /** With an offer, as long as wrong signatures from there are few. */
  private async refuseSignature(call: PaidCall, reply: ServerResponse, reason: Reason, now: number): Promise<void> {
    const over = this.parts.guard.overInvalid(call, now);
    if (over) sendLimited(reply, over);
    else await this.parts.unpaid.refuse(call, reply, reason);
  }

  /** The terms after the catalogue was read again. A version that is still not there was lost with the database it was in. */
  private async caughtUp(call: PaidCall, payment: DecodedPayment, now: number): Promise<TermsVerdict> {
    const { catalogue, quotes } = this.parts;
    await catalogue.refresh();
    const terms = checkTerms(call, payment, catalogue.current, quotes, now);
    return terms.ok || terms.reason !== 'catalogue_behind' ? terms : { ok: false, reason: 'quote_invalid' };
  }

  private async deliver(
    call: PaidCall,
    payment: DecodedPayment,
    admitted: Admitted,
    reply: ServerResponse,
  ): Promise<void> {
    const { state } = admitted.payment;
    if (state.status === 'unknown') throw new Error('an admitted payment has been authorized');
    if (state.authorized.mode === 'async') return this.parts.deliveries.deliverNow(call, admitted, reply);
    if ((await this.parts.deliveries.deliverHeld(call, admitted, reply)) === 'released') return;
    const sent = await this.parts.replays.sendSettled(admitted.id, state, reply);
    await this.finish(call, payment, admitted.id, sent, reply);
  }

  private async repeat(
    call: PaidCall,
    payment: DecodedPayment,
    id: PaymentId,
    state: Payment,
    mine: boolean,
    reply: ServerResponse,
  ): Promise<void> {
    if (state.status === 'unknown') throw new Error(`${id} has no events`);
    // Under a payment identifier another authorization of the same payer stands for the same purchase.
    if (mine) this.parts.replays.checkPresenter(call, payment, state);
    await this.finish(call, payment, id, await this.parts.replays.replay(call, id, state, reply), reply);
  }

  private async finish(
    call: PaidCall,
    payment: DecodedPayment,
    id: PaymentId,
    replayed: Replayed,
    reply: ServerResponse,
  ): Promise<void> {
    if (replayed.kind === 'unpaid') {
      const { authorized, reason } = replayed;
      return this.parts.unpaid.refuse(call, reply, reason, failureHeaders(id, authorized, reason));
    }
    if (replayed.kind === 'restart') await this.restart(call, payment, id, replayed.authorized, reply);
  }

  /** Of several that want to run an interrupted request again, the first to write it down does; the others wait for it. */
  private async restart(
    call: PaidCall,
    payment: DecodedPayment,
    id: PaymentId,
    authorized: PaymentAuthorized['data'],
    reply: ServerResponse,
  ): Promise<void> {
    const done = this.parts.admissions.hold(id);
    try {
      const claim = await this.parts.admissions.claimAgain(id, call, payment);
      const restarted = await this.claimRestart(id, claim, this.parts.limits.retake(quotasOf(authorized)));
      if (restarted) this.parts.limits.tell(restarted.granted, reply);
      if (restarted) return await this.deliver(call, payment, { id, payment: restarted }, reply);
    } finally {
      done();
    }
    const state = (await this.parts.admissions.find(id))?.payment;
    if (!state || state.status === 'unknown') throw new Error(`${id} has no events`);
    await this.finish(call, payment, id, await this.parts.replays.replay(call, id, state, reply), reply);
  }

  /** `undefined`: somebody else runs it again, or has done so. */
  private async claimRestart(
    id: PaymentId,
    claim: StreamClaim | undefined,
    quotas: readonly HoldRequest[],
  ): Promise<PaymentAfter | undefined> {
    try {
      const command = new RestartDelivery(id, this.parts.gateway, claim, quotas);
      return await this.parts.bus.execute<RestartDelivery, PaymentAfter>(command);
    } catch (error) {
      if (error instanceof Problem && error.code === 'delivery_in_progress') return undefined;
      if (error instanceof VersionConflict) return undefined;
      // Others have taken its place meanwhile.
      if (error instanceof HoldsRefused) throw asLimit(this.parts.limits.refusalOf(error));
      throw error;
    }
  }
}

/** A limit may have been lowered below what the request asks for. */
function asLimit(refusal: Problem | 'price_above_limit'): Problem {
  return refusal instanceof Problem ? refusal : new Problem('spending_limit_reached');
}

function paymentHeadersOf({ headers }: IncomingMessage): PaymentHeaders {
  return { 'payment-signature': headers['payment-signature'], 'x-payment': headers['x-payment'] };
}

/** CORS preflight, free for everyone: which methods the path serves, and that payment headers may be sent. */
function sendPreflight(reply: ServerResponse, message: IncomingMessage, methods: readonly string[]): void {
  if (methods.length === 0) throw new Problem('route_not_found');
  const wanted = message.headers['access-control-request-headers'];
  const headers = ['PAYMENT-SIGNATURE', 'X-PAYMENT', ...(typeof wanted === 'string' ? [wanted] : [])].join(', ');
  sendWhole(
    reply,
    204,
    {
      allow: [...methods, 'OPTIONS'].join(', '),
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': headers,
      'access-control-max-age': '600',
      vary: 'Access-Control-Request-Headers',
    },
    '',
  );
}
