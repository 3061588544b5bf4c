import fc from 'fast-check';
import { formatUnits, parseUnits } from './money.js';

describe('parseUnits', () => {
  it.each([
    ['0.002', 6, 2_000n],
    ['1', 6, 1_000_000n],
    ['0.0000010', 6, 1n],
    ['12.5', 0, 'too_fine'],
    ['0.0000001', 6, 'too_fine'],
    ['0', 6, 0n],
    ['123456789012345678901234567890.000001', 6, 123456789012345678901234567890000001n],
    ['', 6, 'malformed'],
    ['.5', 6, 'malformed'],
    ['-1', 6, 'malformed'],
    ['1e-3', 6, 'malformed'],
    ['1,5', 6, 'malformed'],
    ['01', 6, 'malformed'],
    ['$1', 6, 'malformed'],
  ])('%s at %i decimals is %s', (text, decimals, expected) => {
    expect(parseUnits(text, decimals)).toBe(expected);
  });

  it('gives back what formatUnits wrote', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.nat(18), (amount, decimals) =>
        expect(parseUnits(formatUnits(amount, decimals), decimals)).toBe(amount),
      ),
    );
  });
});
