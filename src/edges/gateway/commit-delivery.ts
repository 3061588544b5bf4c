import type { CommandBus } from '@nestjs/cqrs';
import type { Clock } from '../../base/shared/clock.js';
import { Problem, type ProblemCode } from '../../base/shared/problem.js';
import { encodeCommitment } from '../../base/x402/payment-response.js';
import { answerAttachment } from '../../domains/payments/answers.js';
import { RecordCommitment, ReleaseCommitment } from '../../domains/payments/commitment.decide.js';
import type { Used } from '../../domains/payments/commitment.holds.js';
import type { Commitment, CommitmentId } from '../../domains/payments/commitment.js';
import type { TariffVersion } from '../../domains/pricing/catalogue.js';
import { streamFormat } from '../../domains/pricing/request/event-stream.js';
import { countsResponse, eventsAllowed, fieldOf, usedBy } from './commit-terms.js';
import type { Delivered, Failed, LetIn } from './delivery.js';
import type { PaidCall } from './paid-call.js';
import type { Asked } from './terms.js';
import { StreamMeter } from './upstream/stream-meter.js';
import type { StreamedAnswer, UpstreamAnswer } from './upstream/upstream.js';

/** How long an answer is kept for a repeat, in milliseconds: connections break, and a signature is not for another day. */
const KEPT_MS = 600_000;

export interface CommitmentParts {
  readonly bus: CommandBus;
  readonly answerKey: Buffer;
  readonly clock: Clock;
}

/** A commitment that this gateway has accepted and must now deliver for. */
export interface AcceptedCommitment {
  readonly id: CommitmentId;
  readonly state: Extract<Commitment, { status: 'running' | 'interrupted' }>;
  /** The tariff that was agreed on, and the circumstances it was asked under. */
  readonly version: Pick<TariffVersion, 'tariff'>;
  readonly asked: Asked;
}

/** A request that is paid later: what it used is charged, and its answer is kept for a repeat. */
export class CommitmentDelivery implements LetIn {
  readonly stamp: LetIn['stamp'];
  private readonly startedAt: number;
  private used: Used | undefined;
  private counter: StreamMeter | undefined;

  constructor(
    private readonly parts: CommitmentParts,
    private readonly call: PaidCall,
    private readonly commitment: AcceptedCommitment,
  ) {
    const { amount, class: served, customer, units } = commitment.state.accepted;
    this.stamp = { payment: commitment.id, payer: customer, amount, class: served };
    this.startedAt = parts.clock();
    if (!countsResponse(commitment.version.tariff)) this.used = { units: BigInt(units), charged: BigInt(amount) };
  }

  fields(end: 'delivered' | 'released', answer: UpstreamAnswer): Readonly<Record<string, string>> {
    if (end === 'released') return this.answerOf(0n);
    if (answer.kind === 'whole') this.used ??= this.measure(answer, answer.body.length, answer.body);
    return this.answerOf(this.used?.charged);
  }

  meter(answer: StreamedAnswer): StreamMeter | undefined {
    const allowed = eventsAllowed(this.commitment.version.tariff);
    const format = streamFormat(fieldOf(answer.headers)('content-type'));
    // A declared length was promised to the buyer: such an answer is counted when it is there.
    if (allowed.length === 0 || format === undefined || answer.contentLength !== undefined) return undefined;
    this.counter = new StreamMeter(format, allowed);
    return this.counter;
  }

  /** What a stream came to is known at its end. */
  trailers(): Readonly<Record<string, string>> {
    return this.answerOf(this.used?.charged);
  }

  delivered(record: Delivered, answer: UpstreamAnswer, copy: Buffer | undefined): Promise<unknown> {
    const { id, state } = this.commitment;
    this.used ??= this.measure(answer, record.bytes, copy);
    const attachments = this.keep(answer, copy);
    const data = { ...record, kept: attachments.length > 0 };
    return this.parts.bus.execute(new RecordCommitment(id, data, this.used, attachments, state));
  }

  failed(record: Failed, answer?: UpstreamAnswer, copy?: Buffer): Promise<unknown> {
    const { id, state } = this.commitment;
    const attachments = this.keep(answer, copy);
    const data = { ...record, kept: attachments.length > 0 };
    return this.parts.bus.execute(new ReleaseCommitment(id, data, attachments, state));
  }

  problem(code: ProblemCode): Problem {
    return new Problem(code);
  }

  private answerOf(charged: bigint | undefined): Readonly<Record<string, string>> {
    const { amount, customer } = this.commitment.state.accepted;
    const held = BigInt(amount);
    const most = charged === undefined || charged < held ? charged : held;
    return encodeCommitment({ commitment: this.commitment.id, customer, charged: most, held });
  }

  private measure(answer: UpstreamAnswer, bytes: number, body: Buffer | undefined): Used {
    const { asked, version } = this.commitment;
    const milliseconds = this.parts.clock() - this.startedAt;
    const trailers = answer.kind === 'streamed' ? answer.body.trailers() : [];
    const { headers } = answer;
    return usedBy(this.call, version, asked, { headers, bytes, body, milliseconds, trailers, meter: this.counter });
  }

  private keep(answer: UpstreamAnswer | undefined, copy: Buffer | undefined) {
    if (answer === undefined || copy === undefined) return [];
    const { headers, status } = answer;
    const until = this.parts.clock() + KEPT_MS;
    return [answerAttachment(this.parts.answerKey, this.commitment.id, { status, headers, body: copy }, until)];
  }
}
