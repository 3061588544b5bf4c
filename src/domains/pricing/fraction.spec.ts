import fc from 'fast-check';
import { add, formatFraction, isLess, roundUp } from './fraction.js';

const fraction = fc.record({
  numerator: fc.bigInt({ min: 0n, max: 10n ** 40n }),
  denominator: fc.bigInt({ min: 1n, max: 10n ** 20n }),
});

describe('a fraction', () => {
  it('is rounded up to the least whole number that is not below it', () => {
    fc.assert(
      fc.property(fraction, (one) => {
        const whole = roundUp(one);
        expect(whole * one.denominator >= one.numerator && (whole - 1n) * one.denominator < one.numerator).toBe(true);
      }),
    );
  });

  it('is added exactly, whatever the denominators', () => {
    fc.assert(
      fc.property(fraction, fraction, (a, b) => {
        const { denominator, numerator } = add(a, b);
        const expected = a.numerator * b.denominator + b.numerator * a.denominator;
        expect(numerator * a.denominator * b.denominator).toBe(expected * denominator);
        expect(isLess(add(a, b), a)).toBe(false);
      }),
    );
  });

  it.each([
    [0n, 7n, '0'],
    [21n, 7n, '3'],
    [10n, 4n, '5/2'],
  ])('%i/%i is written %s', (numerator, denominator, text) => {
    expect(formatFraction({ numerator, denominator })).toBe(text);
  });
});
