import fc from 'fast-check';
import type { EventsFact } from '../../../domains/pricing/request/fact.js';
import { StreamMeter } from './stream-meter.js';

const each: EventsFact = { kind: 'events', side: 'response', aggregation: 'sum' };
const tokens: EventsFact = { ...each, pointer: { text: '/tokens', tokens: ['tokens'] } };
const line = (count: number) => `{"tokens":${count}}\n`;
const meterOf = (maximum: bigint, fact = tokens) => new StreamMeter('lines', [{ fact, maximum }]);
const take = (meter: StreamMeter, text: string) => {
  const { cut, pass } = meter.take(Buffer.from(text));
  return [pass.toString(), cut];
};

describe('a metered stream', () => {
  it('passes what is within what is held, to the last unit', () => {
    const meter = meterOf(5n);
    expect(take(meter, line(2) + line(3))).toEqual([line(2) + line(3), false]);
    expect(take(meter, line(0))).toEqual([line(0), false]);
    expect(meter.read(tokens)).toBe('5');
  });

  it('is cut off before the first event that is above it, for ever', () => {
    const meter = meterOf(5n);
    expect(take(meter, line(4) + line(2) + line(1))).toEqual([line(4), true]);
    expect(take(meter, line(1))).toEqual(['', true]);
    expect(meter.read(tokens)).toBe('4');
  });

  it('lets no part of an event out before it is counted', () => {
    const meter = meterOf(1n);
    expect(take(meter, '{"tokens"')).toEqual(['', false]);
    expect(take(meter, ':1}\n{"tok')).toEqual([line(1), false]);
    expect(meter.end()).toEqual({ pass: Buffer.from('{"tok'), cut: false });
  });

  it('counts what has no end', () => {
    const meter = meterOf(1n);
    take(meter, line(1) + line(1).trim());
    expect(meter.end()).toEqual({ pass: Buffer.alloc(0), cut: true });
  });

  it('is cut off where it cannot be counted', () => {
    expect(take(meterOf(9n), '{"tokens":"x"}\n')).toEqual(['', true]);
    expect(take(meterOf(9n), 'x'.repeat(1024 * 1024 + 1))).toEqual(['', true]);
  });

  it('obeys the strictest of several maxima', () => {
    const meter = new StreamMeter('lines', [
      { fact: tokens, maximum: 100n },
      { fact: each, maximum: 2n },
    ]);
    expect(take(meter, line(1) + line(1) + line(1))).toEqual([line(1) + line(1), true]);
    expect([meter.read(tokens), meter.read(each)]).toEqual(['2', '2']);
  });

  it('never lets out more than what is held, however it is cut into pieces', () => {
    const counts = fc.array(fc.nat(9), { minLength: 1 });
    fc.assert(
      fc.property(counts, fc.nat(40), fc.array(fc.integer({ min: 1, max: 25 })), (figures, maximum, cuts) => {
        const bytes = Buffer.from(figures.map(line).join(''));
        const meter = meterOf(BigInt(maximum));
        let [passed, from] = ['', 0];
        for (const length of [...cuts, bytes.length]) {
          passed += meter.take(bytes.subarray(from, from + length)).pass;
          from += length;
        }
        const sum = passed.split('\n').reduce((total, text) => total + (text === '' ? 0 : JSON.parse(text).tokens), 0);
        expect(sum).toBeLessThanOrEqual(maximum);
        expect(meter.read(tokens)).toBe(`${sum}`);
        const next = figures[passed.split('\n').length - 1];
        if (next !== undefined) expect(sum + next).toBeGreaterThan(maximum);
      }),
    );
  });
});
