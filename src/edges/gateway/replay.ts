import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/shared/clock.js';
import { Problem, type ProblemCode } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import type { AnswerStore } from '../../domains/payments/answers.js';
import type { OutcomeWatch } from '../../domains/payments/outcome-watch.js';
import type { DeliveryFailed, Payment, PaymentAuthorized, PaymentId } from '../../domains/payments/payment.js';
import type { ReceiptSigner } from '../../domains/receipts/receipt-signer.js';
import type { PaidCall } from './paid-call.js';
import { PAYMENT_ID_HEADER, paymentHeaders, refundOwed } from './payment-answer.js';
import { answerHead } from './reply.js';

/** How long a settlement may take before the client is told to ask again, in milliseconds. */
const SETTLEMENT_WAIT_MS = 60_000;
/** How much longer than the route's own timeout a repeat waits for the first presentation, in milliseconds. */
const DELIVERY_SLACK_MS = 5_000;

type Begun = Exclude<Payment, { status: 'unknown' }>;

/** What a repeat comes to, beside having been answered. */
export type Replayed =
  | { readonly kind: 'answered' }
  /** The payment failed to settle: a new offer, with the reason. */
  | { readonly kind: 'unpaid'; readonly reason: Reason; readonly authorized: PaymentAuthorized['data'] }
  /** Interrupted before it was delivered, on a route that may be run again. */
  | { readonly kind: 'restart'; readonly authorized: PaymentAuthorized['data'] }
  /** Mode `before`: settled, and nobody runs the request. */
  | { readonly kind: 'paid' };

/** Answers a payment that was presented before, from what is kept, or says that its request has to run. */
export class ReplayDesk {
  constructor(
    private readonly answers: AnswerStore,
    private readonly watch: OutcomeWatch,
    private readonly signer: ReceiptSigner,
    private readonly clock: Clock,
  ) {}

  /**
   * Pure check, before anything is told: is this the same payment for the same request? Settled authorizations are
   * public, so a version 2 repeat must hold the whole payment with its quote, which never goes on chain; a version 1
   * repeat is taken only until the authorization was broadcast. In mode `before` that comes before the answer, so there it
   * is taken until the request is delivered: whoever reads the chain and guesses the request can show it, too.
   * @throws Problem 409
   */
  checkPresenter(call: PaidCall, payment: DecodedPayment, state: Begun): void {
    const { authorized } = state;
    if (authorized.tenant !== call.tenant.id || authorized.requestDigest !== call.digest) {
      throw new Problem('authorization_used_elsewhere');
    }
    if (authorized.payloadDigest !== payment.payloadDigest) throw new Problem('replay_needs_same_payment');
    if (authorized.x402Version === 1 && isBroadcast(state)) throw new Problem('replay_closed');
  }

  /** Waits until the first presentation's outcome is known, then gives the same answer. */
  async replay(call: PaidCall, id: PaymentId, state: Begun, reply: ServerResponse): Promise<Replayed> {
    const delivered = await this.waitForDelivery(call, id, await this.waitForPayment(id, state));
    switch (delivered.status) {
      case 'paid':
        return { kind: 'paid' };
      case 'awaiting_settlement':
        throw new Problem('settlement_pending');
      case 'undelivered':
      case 'refund_owed':
        throw refundOwed(id, delivered, delivered.reason);
      case 'refunded':
        throw new Problem('payment_refunded');
      case 'interrupted':
        if (!delivered.authorized.idempotent) throw new Problem('delivery_interrupted');
        return { kind: 'restart', authorized: delivered.authorized };
      case 'released':
        await this.sendReleased(id, delivered.failed, reply);
        return { kind: 'answered' };
      default:
        return this.sendDelivered(id, await this.waitForSettlement(id, delivered), reply);
    }
  }

  /** Mode `after`: sends the kept answer once the payment is settled. */
  async sendSettled(id: PaymentId, state: Begun, reply: ServerResponse): Promise<Replayed> {
    return this.sendDelivered(id, await this.waitForSettlement(id, state), reply);
  }

  /** Mode `before`: until it is known whether the money moves. */
  private async waitForPayment(id: PaymentId, state: Begun): Promise<Begun> {
    if (state.status !== 'awaiting_settlement') return state;
    const outcome = await this.watch.waitFor(id, ({ status }) => status !== 'awaiting_settlement', SETTLEMENT_WAIT_MS);
    return outcome.status === 'unknown' ? state : outcome;
  }

  private async waitForDelivery(call: PaidCall, id: PaymentId, state: Begun): Promise<Begun> {
    if (!isRunning(state)) return state;
    const timeoutMs = call.route.timeoutMs + DELIVERY_SLACK_MS;
    const outcome = await this.watch.waitFor(id, (payment) => !isRunning(payment), timeoutMs);
    if (outcome.status === 'unknown' || isRunning(outcome)) throw new Problem('delivery_in_progress');
    return outcome;
  }

  private async waitForSettlement(id: PaymentId, state: Begun): Promise<Begun> {
    if (state.authorized.mode === 'async' || isFinal(state)) return state;
    const outcome = await this.watch.waitFor(id, isFinal, SETTLEMENT_WAIT_MS);
    if (outcome.status === 'unknown' || !isFinal(outcome)) throw new Problem('settlement_pending');
    return outcome;
  }

  private async sendDelivered(id: PaymentId, state: Begun, reply: ServerResponse): Promise<Replayed> {
    if (state.status === 'settlement_failed' && state.authorized.mode !== 'async') {
      return { kind: 'unpaid', reason: state.failed.reason, authorized: state.authorized };
    }
    const kept = await this.answers.read(id, this.clock());
    if (!kept) throw new Problem('answer_not_kept');
    if (reply.destroyed) return { kind: 'answered' };
    reply.writeHead(kept.status, answerHead(reply, kept.headers, paymentHeaders(id, state, this.signer)));
    reply.end(kept.body);
    return { kind: 'answered' };
  }

  private async sendReleased(id: PaymentId, failed: DeliveryFailed['data'], reply: ServerResponse): Promise<void> {
    const kept = failed.kept ? await this.answers.read(id, this.clock()) : undefined;
    if (!kept) throw new Problem(releaseProblems[failed.reason]);
    if (reply.destroyed) return;
    reply.writeHead(kept.status, answerHead(reply, kept.headers, { [PAYMENT_ID_HEADER]: id }));
    reply.end(kept.body);
  }
}

/** What is said of a request that nothing was delivered for, if there is no answer to pass on. */
export const releaseProblems: Readonly<Record<DeliveryFailed['data']['reason'], ProblemCode>> = {
  upstream_error: 'answer_not_kept',
  not_charged: 'answer_not_kept',
  upstream_timeout: 'upstream_timeout',
  upstream_unreachable: 'upstream_unreachable',
  upstream_broke_off: 'upstream_broke_off',
  upstream_forbidden: 'upstream_forbidden',
  answer_too_large_to_hold: 'answer_too_large_to_hold',
  shutdown: 'delivery_interrupted',
};

function isRunning({ status }: Payment): boolean {
  return status === 'authorized' || status === 'delivering';
}

function isBroadcast({ status }: Begun): boolean {
  return status === 'submitted' || status === 'settled' || status === 'settlement_failed';
}

function isFinal({ status }: Payment): boolean {
  return status === 'settled' || status === 'settlement_failed';
}
