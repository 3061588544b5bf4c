import fc from 'fast-check';
import { FeeCapReached } from './chain.js';
import { batchGas, feesFor, feesOver } from './gas.js';

describe('batchGas', () => {
  it('stays below what one transaction may have', () => {
    expect(batchGas(100, false)).toBeLessThan(16_777_216n);
    expect(() => batchGas(200, false)).toThrow(RangeError);
  });

  it('leaves the results of a batch enough even when the contract burns its 63/64', () => {
    const left = (batchGas(20, true) - 20n * 110_000n) / 64n;
    expect(left).toBeGreaterThan(21n * 1_000n);
  });
});

describe('feesFor', () => {
  it('leaves room for the base fee to double', () => {
    expect(feesFor(10n, 3n, 1_000n)).toEqual({ maxFeePerGas: 23n, maxPriorityFeePerGas: 3n });
  });

  it('never passes the cap', () => {
    expect(feesFor(600n, 2_000n, 1_000n)).toEqual({ maxFeePerGas: 1_000n, maxPriorityFeePerGas: 1_000n });
    expect(() => feesFor(1_001n, 0n, 1_000n)).toThrow(FeeCapReached);
  });
});

describe('feesOver', () => {
  const fee = fc.bigInt({ min: 0n, max: 10n ** 12n });
  const fees = fc
    .tuple(fee, fee)
    .map(([a, b]) => (a > b ? [a, b] : [b, a]))
    .map(([most, tip]) => ({ maxFeePerGas: most!, maxPriorityFeePerGas: tip! }));

  it('passes what a node asks of a replacement, and never the cap', () => {
    fc.assert(
      fc.property(fees, fees, fee, (old, now, cap) => {
        try {
          const { maxFeePerGas, maxPriorityFeePerGas } = feesOver(old, now, cap);
          expect(maxFeePerGas * 10n).toBeGreaterThanOrEqual(old.maxFeePerGas * 11n);
          expect(maxPriorityFeePerGas * 10n).toBeGreaterThanOrEqual(old.maxPriorityFeePerGas * 11n);
          expect(maxFeePerGas).toBeGreaterThanOrEqual(now.maxFeePerGas);
          expect(maxPriorityFeePerGas).toBeLessThanOrEqual(maxFeePerGas);
          expect(maxFeePerGas).toBeLessThanOrEqual(cap);
        } catch (error) {
          if (!(error instanceof FeeCapReached)) throw error;
        }
      }),
    );
  });

  it('raises by an eighth when the market asks for less', () => {
    const old = { maxFeePerGas: 800n, maxPriorityFeePerGas: 80n };
    const now = { maxFeePerGas: 100n, maxPriorityFeePerGas: 1n };
    expect(feesOver(old, now, 901n)).toEqual({ maxFeePerGas: 901n, maxPriorityFeePerGas: 91n });
    expect(() => feesOver(old, now, 900n)).toThrow(FeeCapReached);
  });
});
