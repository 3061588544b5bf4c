import type { ServerResponse } from 'node:http';
import type { Logger } from '../../base/platform/logger.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Problem, ProblemCode } from '../../base/shared/problem.js';
import type { DeliveryFailed, RequestDelivered } from '../../domains/payments/payment.js';
import type { PaidCall } from './paid-call.js';
import { answerHead } from './reply.js';
import { paidInAnswer, paysIn } from './top-ups.js';
import { deliver, deliveryLimits, holdAnswer } from './upstream/answer-body.js';
import type { BodyRecord } from './upstream/answer-record.js';
import { replySink } from './upstream/reply-sink.js';
import type { StreamMeter } from './upstream/stream-meter.js';
import type { StreamedAnswer, UpstreamAnswer, UpstreamFailure } from './upstream/upstream.js';
import type { UpstreamClient } from './upstream/upstream-client.js';
import type { PaymentStamp } from './upstream/upstream-signature.js';
import { upstreamRequest } from './upstream-request.js';

/** Longest answer held in memory until its payment is settled (mode `after`), in bytes. */
export const HELD_BYTES_MAX = 1024 * 1024;

export type Delivered = Omit<RequestDelivered['data'], 'kept'>;
export type Failed = Omit<DeliveryFailed['data'], 'kept'>;

/** A request that was let in, paid or free: what is said of it, and who writes down what comes of it. */
export interface LetIn {
  /** What the provider is told. */
  readonly stamp: Pick<PaymentStamp, 'payment' | 'payer' | 'amount' | 'class'>;
  /** Our fields in the head of an answer that counts, or that is released: passed on without a charge. */
  fields(end: 'delivered' | 'released', answer: UpstreamAnswer): Readonly<Record<string, string>>;
  /** @param copy the body, if it is short enough to be kept */
  delivered(record: Delivered, answer: UpstreamAnswer, copy: Buffer | undefined): Promise<unknown>;
  /** Counts an answer as it flows, and cuts it off. */
  meter?(answer: StreamedAnswer): StreamMeter | undefined;
  /** Our fields behind a stream, once it is recorded. */
  trailers?(): Readonly<Record<string, string>>;
  /** With an answer if it is released. */
  failed(record: Failed, answer?: UpstreamAnswer, copy?: Buffer): Promise<unknown>;
  /** What the client is told if there is no answer. */
  problem(code: ProblemCode): Problem;
}

export interface DeliveryParts {
  readonly upstreams: UpstreamClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Runs the request at the provider and has written down what came of it, exactly once, before the answer is complete. */
export class DeliveryDesk {
  /** Ends what is still running when the gateway must stop. */
  private readonly aborted = new AbortController();

  constructor(private readonly parts: DeliveryParts) {}

  abort(): void {
    this.aborted.abort();
  }

  /** The answer goes out as it comes, its end once the delivery is durable. */
  async deliverNow(call: PaidCall, letIn: LetIn, reply: ServerResponse): Promise<void> {
    const started = this.parts.clock();
    const answer = await this.forward(call, letIn, started);
    if (answer.kind === 'failed') throw await this.fail(letIn, answer, started);
    if (isReleased(call, answer)) return this.release(letIn, answer, started, reply);
    const head = answerHead(reply, answer.headers, letIn.fields('delivered', answer));
    const meter = answer.kind === 'streamed' ? letIn.meter?.(answer) : undefined;
    if (answer.kind === 'streamed' && !reply.destroyed) {
      reply.writeHead(answer.status, head);
      reply.flushHeaders();
    }
    const delivered = await deliver(answer, replySink(reply), deliveryLimits, meter);
    if (delivered.kind === 'failed') throw await this.fail(letIn, delivered, started);
    await this.record(letIn, answer, delivered.record, started);
    if (reply.destroyed) return;
    if (answer.kind === 'whole') reply.writeHead(answer.status, head);
    else reply.addTrailers(letIn.trailers?.() ?? {});
    reply.end(delivered.rest);
  }

  /** Mode `after`: the answer is read and stored; the caller sends it once the payment is settled. */
  async deliverHeld(call: PaidCall, letIn: LetIn, reply: ServerResponse): Promise<'held' | 'released'> {
    const started = this.parts.clock();
    const answer = await this.forward(call, letIn, started);
    if (answer.kind === 'failed') throw await this.fail(letIn, answer, started);
    if (isReleased(call, answer)) {
      await this.release(letIn, answer, started, reply);
      return 'released';
    }
    const held = await holdAnswer(answer, HELD_BYTES_MAX);
    if (held.kind === 'failed') throw await this.fail(letIn, held, started);
    await this.record(letIn, answer, { ...held.record, copy: held.body }, started);
    return 'held';
  }

  private async forward(call: PaidCall, { stamp }: LetIn, now: number): Promise<UpstreamAnswer | UpstreamFailure> {
    if (paysIn(call)) return paidInAnswer(call, stamp.amount);
    return this.parts.upstreams.forward(upstreamRequest(call, stamp, this.aborted.signal, now));
  }

  /** A provider's error, or an answer the route gives away: passed on, not charged. */
  private async release(letIn: LetIn, answer: UpstreamAnswer, started: number, reply: ServerResponse): Promise<void> {
    const held = await holdAnswer(answer, HELD_BYTES_MAX);
    if (held.kind === 'failed') throw await this.fail(letIn, held, started);
    const { status } = answer;
    const reason = status >= 500 ? 'upstream_error' : 'not_charged';
    await letIn.failed({ reason, status, latencyMs: this.parts.clock() - started }, answer, held.record.copy);
    if (reply.destroyed) return;
    reply.writeHead(status, answerHead(reply, answer.headers, letIn.fields('released', answer)));
    reply.end(held.body);
  }

  private record(letIn: LetIn, answer: UpstreamAnswer, record: BodyRecord, started: number): Promise<unknown> {
    const { bytes, copy, digest: responseDigest } = record;
    const latencyMs = this.parts.clock() - started;
    return letIn.delivered({ status: answer.status, responseDigest, bytes, latencyMs }, answer, copy);
  }

  /** Records a delivery that failed; returns the error for the client. */
  private async fail(letIn: LetIn, failure: FailedDelivery, started: number): Promise<Problem> {
    const { clock, log } = this.parts;
    const { code, reason } = failures[failure.failed];
    const { payment } = letIn.stamp;
    if ('cause' in failure) log.warn({ payment, reason, err: failure.cause?.message }, 'delivery failed');
    await letIn.failed({ reason, latencyMs: clock() - started });
    return letIn.problem(code);
  }
}

/** Why there is no whole answer of the provider. */
type FailedDelivery = UpstreamFailure | { readonly failed: 'answer_too_large_to_hold' };

/** What the log says of it, and the client. */
const failures = {
  upstream_unreachable: { reason: 'upstream_unreachable', code: 'upstream_unreachable' },
  upstream_timeout: { reason: 'upstream_timeout', code: 'upstream_timeout' },
  upstream_broke_off: { reason: 'upstream_broke_off', code: 'upstream_broke_off' },
  upstream_forbidden: { reason: 'upstream_forbidden', code: 'upstream_forbidden' },
  aborted: { reason: 'shutdown', code: 'shutting_down' },
  answer_too_large_to_hold: { reason: 'answer_too_large_to_hold', code: 'answer_too_large_to_hold' },
} as const;

/** An error of the provider, or an answer that the route does not charge. */
function isReleased({ route }: PaidCall, { status }: UpstreamAnswer): boolean {
  return status >= 500 || (status >= 400 && !route.chargeClientErrors);
}
