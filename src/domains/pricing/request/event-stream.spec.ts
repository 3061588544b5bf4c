import fc from 'fast-check';
import { EventCount, EventSplitter, eventsIn, figureOf, type StreamFormat, streamFormat } from './event-stream.js';
import type { EventsFact } from './fact.js';

const tokens = { text: '/tokens', tokens: ['tokens'] };
const summed: EventsFact = { kind: 'events', side: 'response', aggregation: 'sum', pointer: tokens };
const sse = (...data: string[]) => data.map((one) => `data: ${one}\n\n`).join('');

describe('a stream of events', () => {
  it.each([
    ['text/event-stream; charset=utf-8', 'sse'],
    ['Application/X-NDJSON', 'lines'],
    ['application/jsonl', 'lines'],
    ['application/json', undefined],
    [undefined, undefined],
  ])('of %s is %s', (type, format) => {
    expect(streamFormat(type)).toBe(format);
  });

  const event = fc.tuple(
    fc.constantFrom('data: a', 'data: {"tokens":1}', ': beat', 'event: x\ndata: b'),
    fc.constantFrom('\n\n', '\r\n\r\n'),
  );

  it.each<[StreamFormat]>([['sse'], ['lines']])('has the same events however its bytes are cut (%s)', (format) => {
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat(60)), (events, cuts) => {
        const bytes = Buffer.from(events.map((parts) => parts.join('')).join(''));
        const whole = new EventSplitter(format).take(bytes).map(String);
        const splitter = new EventSplitter(format);
        const pieces: string[] = [];
        let from = 0;
        for (const length of [...cuts, bytes.length]) {
          pieces.push(...splitter.take(bytes.subarray(from, from + length)).map(String));
          from += length;
        }
        expect(pieces).toEqual(whole);
        expect(pieces.join('') + splitter.rest()).toBe(`${bytes}`);
        if (format === 'sse') expect(whole).toHaveLength(events.length);
      }),
    );
  });

  it.each([
    ['data: x\n\n', undefined, 1n],
    [': a comment\n\n', undefined, 0n],
    ['data: {"tokens": 12}\n\n', tokens, 12n],
    ['data: {"tokens":\ndata: "7"}\n\n', tokens, 7n],
    ['data: {"other": 12}\n\n', tokens, 0n],
    ['data: [DONE]\n\n', tokens, 0n],
    ['data: {"tokens": 1.5}\n\n', tokens, undefined],
    ['data: {"tokens": -1}\n\n', tokens, undefined],
    ['data: {"tokens": "many"}\n\n', tokens, undefined],
  ])('states in %j at %j: %s', (text, pointer, figure) => {
    expect(figureOf(Buffer.from(text), 'sse', pointer?.tokens)).toBe(figure);
  });
});

describe('what the events of a body come to', () => {
  it('is their sum', () => {
    expect(eventsIn(Buffer.from(sse('{"tokens":2}', '{"tokens":3}', '[DONE]')), 'text/event-stream', summed)).toBe('5');
  });

  it('is the largest, if each says how much it was so far', () => {
    const count = new EventCount({ ...summed, aggregation: 'max' }, 'lines');
    for (const line of ['{"tokens":2}\n', '{"tokens":9}\n', '{"tokens":4}\n']) count.add(Buffer.from(line));
    expect(count.reading).toBe('9');
  });

  it('counts a last line without an end', () => {
    const lines: EventsFact = { kind: 'events', side: 'response', aggregation: 'sum' };
    expect(eventsIn(Buffer.from('{}\n{}\n\n{}'), 'application/x-ndjson', lines)).toBe('3');
  });

  it('cannot be read once a figure cannot', () => {
    const text = sse('{"tokens":2}', '{"tokens":"x"}', '{"tokens":3}');
    expect(eventsIn(Buffer.from(text), 'text/event-stream', summed)).toBe('?');
  });

  it('is not known of anything else', () => {
    expect(eventsIn(Buffer.from('{"tokens":2}'), 'application/json', summed)).toBe('');
    expect(eventsIn(undefined, 'text/event-stream', summed)).toBe('');
  });
});
