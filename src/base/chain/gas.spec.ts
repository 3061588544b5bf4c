import { ChainUnavailable } from './chain.js';
import { batchGas, feesFor } from './gas.js';

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
    expect(() => feesFor(1_001n, 0n, 1_000n)).toThrow(ChainUnavailable);
  });
});
