import { type BodyRecord, BodyRecorder, recordOf } from './answer-record.js';
import { type AnswerSink, Buyer } from './buyer.js';
import type { Metered, StreamMeter } from './stream-meter.js';
import type { StreamedAnswer, UpstreamAnswer, UpstreamFailure } from './upstream.js';

const EMPTY: Buffer = Buffer.alloc(0);

export interface DeliveryLimits {
  /** Longest body kept for a repeat, in bytes. */
  readonly keepBytesMax: number;
  /** A buyer that takes no bytes for this long has gone, in milliseconds. */
  readonly buyerStallMs: number;
  /** Once the buyer has gone: how much more is read for the record alone, beyond what is kept, in bytes. */
  readonly drainBytesMax: number;
  /** Once the buyer has gone: how long the upstream may go on, in milliseconds. */
  readonly drainMs: number;
}

export const deliveryLimits: DeliveryLimits = {
  keepBytesMax: 256 * 1024,
  buyerStallMs: 30_000,
  drainBytesMax: 1024 * 1024,
  drainMs: 60_000,
};

export interface Delivered {
  readonly kind: 'delivered';
  readonly record: BodyRecord;
  /** Held back: send it with the end of the reply once the delivery is durable. Empty for a chunked answer, where the end itself is held back. */
  readonly rest: Buffer;
  readonly buyerGone: boolean;
  /** False if the buyer went away and the rest was given up; the record then covers what was read, without a copy. */
  readonly complete: boolean;
}

/**
 * Passes an answer on until only its end is missing, so that "completely received" and "charged" are the same moment.
 * A whole answer is not written at all: it is the `rest`. A buyer that goes away changes nothing for the books: the
 * upstream is read to its end within the limits, and the delivery counts. An upstream that fails first is a failure.
 *
 * @param meter of an answer without a declared length: what it cuts off is neither sent nor recorded
 */
export async function deliver(
  answer: UpstreamAnswer,
  sink: AnswerSink,
  limits: DeliveryLimits = deliveryLimits,
  meter?: StreamMeter,
): Promise<Delivered | UpstreamFailure> {
  if (answer.kind === 'whole') {
    return { kind: 'delivered', record: recordOf(answer.body), rest: answer.body, buyerGone: false, complete: true };
  }
  const buyer = new Buyer(sink, limits.buyerStallMs, () => answer.body.discard(), limits.drainMs);
  try {
    return await pass(answer, buyer, limits, meter);
  } finally {
    buyer.release();
  }
}

async function pass(
  answer: StreamedAnswer,
  buyer: Buyer,
  limits: DeliveryLimits,
  meter: StreamMeter | undefined,
): Promise<Delivered | UpstreamFailure> {
  const recorder = new BodyRecorder(limits.keepBytesMax);
  let rest: Buffer = EMPTY;
  let unseen = 0;
  for (;;) {
    const piece = await answer.body.next();
    if (buyer.drained || (buyer.gone && !recorder.keeps && unseen > limits.drainBytesMax)) {
      answer.body.discard();
      return { kind: 'delivered', record: recorder.finish(false), rest: EMPTY, buyerGone: true, complete: false };
    }
    if (piece !== 'end' && !Buffer.isBuffer(piece)) return piece;
    const { pass: passed, cut = false } = metered(piece, meter);
    if (cut) answer.body.discard();
    const over = cut || piece === 'end';
    recorder.add(passed);
    if (buyer.gone) unseen += passed.length;
    else if (over || recorder.bytes === answer.contentLength) rest = Buffer.concat([rest, passed]);
    else if (passed.length > 0) await buyer.send(passed);
    if (over) return { kind: 'delivered', record: recorder.finish(true), rest, buyerGone: buyer.gone, complete: true };
  }
}

/** As much of a piece as may go out. */
function metered(piece: Buffer | 'end', meter: StreamMeter | undefined): Partial<Metered> & Pick<Metered, 'pass'> {
  if (piece === 'end') return meter?.end() ?? { pass: EMPTY };
  return meter?.take(piece) ?? { pass: piece };
}

export interface Held {
  readonly kind: 'held';
  readonly record: BodyRecord;
  readonly body: Buffer;
}

export interface TooLargeToHold {
  readonly kind: 'failed';
  readonly failed: 'answer_too_large_to_hold';
}

/** Mode `after`: reads the answer whole, for as long as it takes to settle. @param holdBytesMax longest body held, in bytes */
export async function holdAnswer(
  answer: UpstreamAnswer,
  holdBytesMax: number,
): Promise<Held | TooLargeToHold | UpstreamFailure> {
  if (answer.kind === 'whole') {
    return answer.body.length > holdBytesMax ? tooLarge : held(answer.body);
  }
  const chunks: Buffer[] = [];
  let bytes = answer.contentLength ?? 0;
  if (bytes <= holdBytesMax) {
    bytes = 0;
    for (;;) {
      const piece = await answer.body.next();
      if (piece === 'end') return held(Buffer.concat(chunks));
      if (!Buffer.isBuffer(piece)) return piece;
      bytes += piece.length;
      if (bytes > holdBytesMax) break;
      chunks.push(piece);
    }
  }
  answer.body.discard();
  return tooLarge;
}

const tooLarge: TooLargeToHold = { kind: 'failed', failed: 'answer_too_large_to_hold' };

function held(body: Buffer): Held {
  return { kind: 'held', record: recordOf(body), body };
}
