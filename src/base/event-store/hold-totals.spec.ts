import fc from 'fast-check';
import { decideHold } from './hold-totals.js';

describe('a hold', () => {
  it('is granted up to the limit and not beyond', () => {
    expect(decideHold(9n, { key: 'k', delta: 1n, limit: 10n })).toEqual({ granted: true, held: 10n });
    expect(decideHold(10n, { key: 'k', delta: 1n, limit: 10n })).toEqual({ granted: false, held: 10n });
  });

  it('is always given back, also above a limit that was lowered', () => {
    expect(decideHold(50n, { key: 'k', delta: -20n, limit: 10n })).toEqual({ granted: true, held: 30n });
  });

  it('never lets a total pass its limit nor fall below zero, whatever the order', () => {
    const request = fc.record({ key: fc.constant('k'), delta: fc.bigInt(-50n, 50n), limit: fc.constant(100n) });
    fc.assert(
      fc.property(fc.array(request), (requests) => {
        let held = 0n;
        for (const one of requests) {
          held = decideHold(held, one).held;
          expect(held >= 0n && held <= 100n).toBe(true);
        }
      }),
    );
  });
});
