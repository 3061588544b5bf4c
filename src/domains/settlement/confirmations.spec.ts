import fc from 'fast-check';
import { confirmationsFor, IN_A_BLOCK } from './confirmations.js';

const TIERS = [
  { from: '0', blocks: 1 },
  { from: '0.5', blocks: 3 },
  { from: '250', blocks: 12 },
];

describe('confirmationsFor', () => {
  it.each([
    [0n, 1],
    [499_999n, 1],
    [500_000n, 3],
    [249_999_999n, 3],
    [250_000_000n, 12],
    [10n ** 30n, 12],
  ])('asks for the blocks of the highest tier that an amount reaches: %s', (amount, blocks) => {
    expect(confirmationsFor(TIERS, 6, amount)).toBe(blocks);
  });

  it('assumes no decimals', () => {
    expect(confirmationsFor(TIERS, 18, 500_000n)).toBe(1);
    expect(confirmationsFor(TIERS, 18, 250n * 10n ** 18n)).toBe(12);
    // Half of a token that cannot be halved is reached by one.
    expect(confirmationsFor(TIERS, 0, 0n)).toBe(1);
    expect(confirmationsFor(TIERS, 0, 1n)).toBe(3);
    expect(confirmationsFor(TIERS, 0, 250n)).toBe(12);
  });

  it('never asks for fewer blocks of more', () => {
    fc.assert(
      fc.property(
        fc.nat(24),
        fc.bigInt({ min: 0n, max: 10n ** 30n }),
        fc.bigInt({ min: 0n, max: 10n ** 30n }),
        (decimals, a, b) => {
          const [less, more] = a < b ? [a, b] : [b, a];
          expect(confirmationsFor(TIERS, decimals, less)).toBeLessThanOrEqual(confirmationsFor(TIERS, decimals, more));
        },
      ),
    );
  });

  it('is one block unless something else is asked for', () => {
    expect(confirmationsFor(IN_A_BLOCK, 6, 10n ** 30n)).toBe(1);
  });
});
