import type { ServerResponse } from 'node:http';
import type { CommandBus } from '@nestjs/cqrs';
import type { Logger } from '../../base/platform/logger.js';
import type { Clock } from '../../base/shared/clock.js';
import { Problem } from '../../base/shared/problem.js';
import { answerAttachment } from '../../domains/payments/answers.js';
import type { PaymentAfter } from '../../domains/payments/handler-for.js';
import { FailDelivery, RecordDelivery } from '../../domains/payments/payment.decide.js';
import type { DeliveryFailed, PaymentAuthorized, PaymentId } from '../../domains/payments/payment.js';
import type { ReceiptSigner } from '../../domains/receipts/receipt-signer.js';
import type { PaidCall } from './paid-call.js';
import { PAYMENT_ID_HEADER, paymentHeaders } from './payment-answer.js';
import { answerHead } from './reply.js';
import { deliver, deliveryLimits, holdAnswer } from './upstream/answer-body.js';
import type { BodyRecord } from './upstream/answer-record.js';
import { replySink } from './upstream/reply-sink.js';
import type { UpstreamAnswer, UpstreamFailure } from './upstream/upstream.js';
import type { UpstreamClient } from './upstream/upstream-client.js';
import { upstreamRequest } from './upstream-request.js';

/** Longest answer held in memory until its payment is settled (mode `after`), in bytes. */
export const HELD_BYTES_MAX = 1024 * 1024;

/** A payment that this gateway has admitted and must now deliver for. */
export interface Admitted {
  readonly id: PaymentId;
  readonly payment: PaymentAfter;
}

export interface DeliveryParts {
  readonly bus: CommandBus;
  readonly upstreams: UpstreamClient;
  readonly signer: ReceiptSigner;
  readonly answerKey: Buffer;
  readonly gateway: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Runs the request at the provider and records what came of it, exactly once, before the answer is complete. */
export class DeliveryDesk {
  /** Ends what is still running when the gateway must stop. */
  private readonly aborted = new AbortController();

  constructor(private readonly parts: DeliveryParts) {}

  abort(): void {
    this.aborted.abort();
  }

  /** Mode `async`: the answer goes out as it comes, its end once the delivery is durable. */
  async deliverNow(call: PaidCall, admitted: Admitted, reply: ServerResponse): Promise<void> {
    const started = this.parts.clock();
    const answer = await this.forward(call, admitted);
    if (answer.kind === 'failed') throw await this.fail(admitted, answer, started);
    if (isReleased(call, answer)) return this.release(admitted, answer, started, reply);
    const { id, payment } = admitted;
    const head = answerHead(answer.headers, paymentHeaders(id, payment.state, this.parts.signer));
    if (answer.kind === 'streamed' && !reply.destroyed) {
      reply.writeHead(answer.status, head);
      reply.flushHeaders();
    }
    const delivered = await deliver(answer, replySink(reply), deliveryLimits);
    if (delivered.kind === 'failed') throw await this.fail(admitted, delivered, started);
    await this.record(admitted, answer, delivered.record, started);
    if (reply.destroyed) return;
    if (answer.kind === 'whole') reply.writeHead(answer.status, head);
    reply.end(delivered.rest);
  }

  /** Mode `after`: the answer is read and stored; the caller sends it once the payment is settled. */
  async deliverHeld(call: PaidCall, admitted: Admitted, reply: ServerResponse): Promise<'held' | 'released'> {
    const started = this.parts.clock();
    const answer = await this.forward(call, admitted);
    if (answer.kind === 'failed') throw await this.fail(admitted, answer, started);
    if (isReleased(call, answer)) {
      await this.release(admitted, answer, started, reply);
      return 'released';
    }
    const held = await holdAnswer(answer, HELD_BYTES_MAX);
    if (held.kind === 'failed') throw await this.fail(admitted, held, started);
    await this.record(admitted, answer, { ...held.record, copy: held.body }, started);
    return 'held';
  }

  private forward(call: PaidCall, { id, payment }: Admitted): Promise<UpstreamAnswer | UpstreamFailure> {
    const { amount, payer } = authorizedOf(payment).terms;
    const stamp = { payment: id, payer, amount, class: authorizedOf(payment).class };
    const { clock, upstreams } = this.parts;
    return upstreams.forward(upstreamRequest(call, stamp, this.aborted.signal, clock()));
  }

  /** A provider's error, or an answer the route gives away: passed on, kept, not charged. */
  private async release(
    admitted: Admitted,
    answer: UpstreamAnswer,
    started: number,
    reply: ServerResponse,
  ): Promise<void> {
    const held = await holdAnswer(answer, HELD_BYTES_MAX);
    if (held.kind === 'failed') throw await this.fail(admitted, held, started);
    const { bus, clock, gateway } = this.parts;
    const { attachments, kept } = this.keep(admitted, answer, held.record);
    const failed: DeliveryFailed['data'] = {
      reason: answer.status >= 500 ? 'upstream_error' : 'not_charged',
      status: answer.status,
      kept,
      latencyMs: clock() - started,
    };
    await bus.execute(new FailDelivery(admitted.id, failed, gateway, attachments, admitted.payment));
    if (reply.destroyed) return;
    reply.writeHead(answer.status, answerHead(answer.headers, { [PAYMENT_ID_HEADER]: admitted.id }));
    reply.end(held.body);
  }

  private async record(admitted: Admitted, answer: UpstreamAnswer, record: BodyRecord, started: number): Promise<void> {
    const { bus, clock, gateway } = this.parts;
    const { attachments, kept } = this.keep(admitted, answer, record);
    const delivered = {
      status: answer.status,
      responseDigest: record.digest,
      bytes: record.bytes,
      latencyMs: clock() - started,
      kept,
    };
    await bus.execute(new RecordDelivery(admitted.id, delivered, gateway, attachments, admitted.payment));
  }

  private keep({ id, payment }: Admitted, answer: UpstreamAnswer, { copy }: BodyRecord) {
    if (copy === undefined) return { kept: false, attachments: [] };
    const { headers, status } = answer;
    const until = Number(authorizedOf(payment).terms.validBefore) * 1000;
    const row = answerAttachment(this.parts.answerKey, id, { status, headers, body: copy }, until);
    return { kept: true, attachments: [row] };
  }

  /** Records a delivery that failed; returns the error for the client. */
  private async fail(admitted: Admitted, failure: FailedDelivery, started: number): Promise<Problem> {
    const { bus, clock, gateway, log } = this.parts;
    const { code, reason } = failures[failure.failed];
    if ('cause' in failure) log.warn({ payment: admitted.id, reason, err: failure.cause?.message }, 'delivery failed');
    const failed = { reason, kept: false, latencyMs: clock() - started };
    await bus.execute(new FailDelivery(admitted.id, failed, gateway, [], admitted.payment));
    return new Problem(code);
  }
}

/** Why there is no whole answer of the provider. */
export type FailedDelivery = UpstreamFailure | { readonly failed: 'answer_too_large_to_hold' };

/** What the log says of it, and the client. */
export const failures = {
  upstream_unreachable: { reason: 'upstream_unreachable', code: 'upstream_unreachable' },
  upstream_timeout: { reason: 'upstream_timeout', code: 'upstream_timeout' },
  upstream_broke_off: { reason: 'upstream_broke_off', code: 'upstream_broke_off' },
  upstream_forbidden: { reason: 'upstream_forbidden', code: 'upstream_forbidden' },
  aborted: { reason: 'shutdown', code: 'shutting_down' },
  answer_too_large_to_hold: { reason: 'answer_too_large_to_hold', code: 'answer_too_large_to_hold' },
} as const;

/** An error of the provider, or an answer that the route does not charge. */
export function isReleased({ route }: PaidCall, { status }: UpstreamAnswer): boolean {
  return status >= 500 || (status >= 400 && !route.chargeClientErrors);
}

function authorizedOf({ state }: PaymentAfter): PaymentAuthorized['data'] {
  if (state.status === 'unknown') throw new Error('an admitted payment has been authorized');
  return state.authorized;
}
