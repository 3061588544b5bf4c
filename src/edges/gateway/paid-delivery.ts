import type { CommandBus } from '@nestjs/cqrs';
import { Problem, type ProblemCode } from '../../base/shared/problem.js';
import { answerAttachment } from '../../domains/payments/answers.js';
import type { PaymentAfter } from '../../domains/payments/handler-for.js';
import { FailDelivery, RecordDelivery } from '../../domains/payments/payment.decide.js';
import type { PaymentAuthorized, PaymentId } from '../../domains/payments/payment.js';
import type { ReceiptSigner } from '../../domains/receipts/receipt-signer.js';
import type { Delivered, Failed, LetIn } from './delivery.js';
import { paymentHeaders, refundOwed, releasedHeaders } from './payment-answer.js';
import type { UpstreamAnswer } from './upstream/upstream.js';

/** A payment that this gateway has admitted and must now deliver for. */
export interface Admitted {
  readonly id: PaymentId;
  readonly payment: PaymentAfter;
}

export interface PaidParts {
  readonly bus: CommandBus;
  readonly signer: ReceiptSigner;
  readonly answerKey: Buffer;
  /** Id of this gateway's lease. */
  readonly gateway: string;
}

/** A paid request: its answer is kept for a repeat, and names the payment. */
export class PaidDelivery implements LetIn {
  readonly stamp: LetIn['stamp'];
  private readonly authorized: PaymentAuthorized['data'];

  constructor(
    private readonly parts: PaidParts,
    private readonly admitted: Admitted,
  ) {
    const { id, payment } = admitted;
    if (payment.state.status === 'unknown') throw new Error('an admitted payment has been authorized');
    this.authorized = payment.state.authorized;
    const { class: served, terms } = this.authorized;
    this.stamp = { payment: id, payer: terms.payer, amount: terms.amount, class: served };
  }

  fields(end: 'delivered' | 'released'): Readonly<Record<string, string>> {
    const { id, payment } = this.admitted;
    if (end === 'released') return releasedHeaders(id, payment.state);
    return paymentHeaders(id, payment.state, this.parts.signer);
  }

  delivered(record: Delivered, answer: UpstreamAnswer, copy: Buffer | undefined): Promise<unknown> {
    const { id, payment } = this.admitted;
    const attachments = this.keep(answer, copy);
    const data = { ...record, kept: attachments.length > 0 };
    return this.record(new RecordDelivery(id, data, this.parts.gateway, attachments, payment));
  }

  failed(record: Failed, answer?: UpstreamAnswer, copy?: Buffer): Promise<unknown> {
    const { id, payment } = this.admitted;
    // A repeat is told that the money is owed back, not this answer.
    const attachments = this.isPaidFor ? [] : this.keep(answer, copy);
    const data = { ...record, kept: attachments.length > 0 };
    return this.record(new FailDelivery(id, data, this.parts.gateway, attachments, payment));
  }

  problem(code: ProblemCode): Problem {
    if (!this.isPaidFor) return new Problem(code);
    const again = code === 'shutting_down' && this.authorized.idempotent;
    return again ? new Problem('paid_not_run') : this.refundOwed(code);
  }

  /** In mode `before` the money has moved, so that a delivery which was taken from us is no reason to pay once more. */
  private async record(command: RecordDelivery | FailDelivery): Promise<unknown> {
    try {
      return await this.parts.bus.execute(command);
    } catch (error) {
      if (!this.isPaidFor || !(error instanceof Problem) || error.code !== 'delivery_interrupted') throw error;
      throw this.authorized.idempotent ? new Problem('paid_not_run') : this.refundOwed(error.code);
    }
  }

  private refundOwed(why: string): Problem {
    return refundOwed(this.admitted.id, this.admitted.payment.state, why);
  }

  private get isPaidFor(): boolean {
    return this.authorized.mode === 'before';
  }

  private keep(answer: UpstreamAnswer | undefined, copy: Buffer | undefined) {
    if (answer === undefined || copy === undefined) return [];
    const { headers, status } = answer;
    const until = Number(this.authorized.terms.validBefore) * 1000;
    return [answerAttachment(this.parts.answerKey, this.admitted.id, { status, headers, body: copy }, until)];
  }
}
