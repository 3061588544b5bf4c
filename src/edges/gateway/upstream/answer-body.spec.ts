import { createHash } from 'node:crypto';
import { deliver, deliveryLimits, holdAnswer } from './answer-body.js';
import type { AnswerSink } from './buyer.js';
import type { AnswerStream, StreamedAnswer, UpstreamFailure, WholeAnswer } from './upstream.js';

const limits = { ...deliveryLimits, keepBytesMax: 10, drainBytesMax: 6 };
const brokeOff: UpstreamFailure = { kind: 'failed', failed: 'upstream_broke_off' };
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

class Pieces implements AnswerStream {
  discarded = false;
  #wake: (() => void) | undefined;

  constructor(private readonly pieces: (string | 'END' | UpstreamFailure)[]) {}

  async next(): Promise<Buffer | 'end' | UpstreamFailure> {
    while (this.pieces.length === 0 && !this.discarded) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.discarded) return { kind: 'failed', failed: 'aborted' };
    const piece = this.pieces.shift()!;
    if (piece === 'END') return 'end';
    return typeof piece === 'string' ? Buffer.from(piece) : piece;
  }

  trailers(): [] {
    return [];
  }

  discard(): void {
    this.discarded = true;
    this.#wake?.();
  }
}

class Taker implements AnswerSink {
  readonly taken: string[] = [];
  leave: () => void = () => {};
  isCutOff = false;

  constructor(private readonly onWrite: (taker: Taker) => void | Promise<void> = () => {}) {}

  write(chunk: Buffer): void | Promise<void> {
    this.taken.push(chunk.toString());
    return this.onWrite(this);
  }

  onGone(listener: () => void): void {
    this.leave = listener;
  }

  cutOff(): void {
    this.isCutOff = true;
  }
}

const streamed = (body: AnswerStream, contentLength?: number): StreamedAnswer => ({
  kind: 'streamed',
  status: 200,
  headers: [],
  contentLength,
  body,
});
const whole = (text: string): WholeAnswer => ({ kind: 'whole', status: 200, headers: [], body: Buffer.from(text) });

describe('passing an answer on', () => {
  it('writes nothing of a whole answer before the delivery is durable', async () => {
    const buyer = new Taker();
    const delivered = await deliver(whole('sunny'), buyer, limits);
    const record = { bytes: 5, digest: digestOf('sunny'), copy: Buffer.from('sunny') };
    expect(delivered).toEqual({
      kind: 'delivered',
      record,
      rest: Buffer.from('sunny'),
      buyerGone: false,
      complete: true,
    });
    expect(buyer.taken).toEqual([]);
  });

  it('holds the last piece of a declared length back', async () => {
    const buyer = new Taker();
    const delivered = await deliver(streamed(new Pieces(['abc', 'def', 'END']), 6), buyer, limits);
    expect(buyer.taken).toEqual(['abc']);
    expect(delivered).toMatchObject({ rest: Buffer.from('def'), record: { bytes: 6, digest: digestOf('abcdef') } });
  });

  it('passes every piece of a chunked answer on and holds only its end back', async () => {
    const buyer = new Taker();
    const delivered = await deliver(streamed(new Pieces(['abc', 'def', 'END'])), buyer, limits);
    expect(buyer.taken).toEqual(['abc', 'def']);
    expect(delivered).toMatchObject({ rest: Buffer.alloc(0), complete: true, record: { copy: Buffer.from('abcdef') } });
  });

  it('keeps no copy of what is longer than the limit, but still its digest and length', async () => {
    const delivered = await deliver(streamed(new Pieces(['abcdef', 'ghijkl', 'END'])), new Taker(), limits);
    expect(delivered).toMatchObject({ record: { bytes: 12, digest: digestOf('abcdefghijkl'), copy: undefined } });
  });

  it('keeps a copy of exactly the limit', async () => {
    const delivered = await deliver(streamed(new Pieces(['abcde', 'fghij', 'END'])), new Taker(), limits);
    expect(delivered).toMatchObject({ record: { copy: Buffer.from('abcdefghij') } });
  });

  it('is a failure if the upstream fails', async () => {
    expect(await deliver(streamed(new Pieces(['abc', brokeOff])), new Taker(), limits)).toBe(brokeOff);
  });
});

describe('a buyer that goes away', () => {
  const leaves = (): Taker => new Taker((taker) => taker.leave());

  it('gets the answer kept', async () => {
    const buyer = leaves();
    const delivered = await deliver(streamed(new Pieces(['abc', 'def', 'END'])), buyer, limits);
    expect(buyer.taken).toEqual(['abc']);
    expect(delivered).toMatchObject({ buyerGone: true, complete: true, record: { copy: Buffer.from('abcdef') } });
  });

  it('is noticed by a write that throws or rejects', async () => {
    for (const onWrite of [
      () => {
        throw new Error('closed');
      },
      () => Promise.reject(new Error('closed')),
    ]) {
      const buyer = new Taker(onWrite);
      const delivered = await deliver(streamed(new Pieces(['abc', 'def', 'END'])), buyer, limits);
      expect(buyer.taken).toEqual(['abc']);
      expect(delivered).toMatchObject({ buyerGone: true, complete: true });
    }
  });

  it('is one that takes no bytes for too long', async () => {
    const stuck = new Taker(() => new Promise<void>(() => {}));
    const delivered = await deliver(streamed(new Pieces(['abc', 'def', 'END'])), stuck, { ...limits, buyerStallMs: 5 });
    expect(delivered).toMatchObject({ buyerGone: true, complete: true, record: { bytes: 6 } });
    expect(stuck.isCutOff).toBe(true);
  });

  it('does not make us read more than the bound', async () => {
    const pieces = new Pieces(['12345678', '12345678', '12345678', 'never read', 'END']);
    const delivered = await deliver(streamed(pieces), leaves(), limits);
    expect(delivered).toMatchObject({ buyerGone: true, complete: false, record: { bytes: 16, copy: undefined } });
    expect(pieces.discarded).toBe(true);
  });

  it('does not make us wait longer than the bound; the delivery counts, without a copy', async () => {
    const endless = new Pieces(['abc', 'def']);
    const delivered = await deliver(streamed(endless), leaves(), { ...limits, drainMs: 5 });
    expect(delivered).toMatchObject({ kind: 'delivered', complete: false, record: { bytes: 6, copy: undefined } });
    expect(endless.discarded).toBe(true);
  });

  it('changes nothing about an upstream that fails', async () => {
    expect(await deliver(streamed(new Pieces(['abc', brokeOff])), leaves(), limits)).toBe(brokeOff);
  });
});

describe('holding an answer until it is settled', () => {
  const tooLarge = { kind: 'failed', failed: 'answer_too_large_to_hold' };

  it('reads a stream whole', async () => {
    const held = await holdAnswer(streamed(new Pieces(['abc', 'def', 'END'])), 6);
    expect(held).toMatchObject({ kind: 'held', body: Buffer.from('abcdef'), record: { digest: digestOf('abcdef') } });
  });

  it('takes a whole answer as it is', async () => {
    expect(await holdAnswer(whole('sunny'), 5)).toMatchObject({ kind: 'held', body: Buffer.from('sunny') });
    expect(await holdAnswer(whole('sunny'), 4)).toEqual(tooLarge);
  });

  it('gives up at the first byte too many', async () => {
    const pieces = new Pieces(['abc', 'defg', 'never read']);
    expect(await holdAnswer(streamed(pieces), 6)).toEqual(tooLarge);
    expect(pieces.discarded).toBe(true);
  });

  it('does not even begin if the declared length is too much', async () => {
    const pieces = new Pieces([]);
    expect(await holdAnswer(streamed(pieces, 7), 6)).toEqual(tooLarge);
    expect(pieces.discarded).toBe(true);
  });

  it('is a failure if the upstream fails', async () => {
    expect(await holdAnswer(streamed(new Pieces(['abc', brokeOff])), 6)).toBe(brokeOff);
  });
});
