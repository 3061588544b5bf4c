import fc from 'fast-check';
import { decideHold, decideHolds, type HoldTotal } from './hold-totals.js';
import type { HoldRequest } from './unit-of-work.js';

describe('a hold', () => {
  it('is granted up to the limit and not beyond', () => {
    const one = { key: 'k', delta: 1n, limit: 10n };
    expect(decideHold({ held: 9n }, one)).toEqual({ granted: true, total: { held: 10n } });
    expect(decideHold({ held: 10n }, one)).toEqual({ granted: false, total: { held: 10n } });
  });

  it('is always given back, also above a limit that was lowered', () => {
    const back = { key: 'k', delta: -20n, limit: 10n };
    expect(decideHold({ held: 50n }, back)).toEqual({ granted: true, total: { held: 30n } });
  });

  it('of nothing asks whether the total is within the limit', () => {
    const look = { key: 'k', delta: 0n, limit: 0n };
    expect(decideHold({ held: 0n }, look)).toEqual({ granted: true, total: { held: 0n } });
    expect(decideHold({ held: 1n }, look)).toEqual({ granted: false, total: { held: 1n } });
  });

  it('never lets a total pass its limit nor fall below zero, whatever the order', () => {
    const request = fc.record({ key: fc.constant('k'), delta: fc.bigInt(-50n, 50n), limit: fc.constant(100n) });
    fc.assert(
      fc.property(fc.array(request), (requests) => {
        let total: HoldTotal = { held: 0n };
        for (const one of requests) {
          total = decideHold(total, one).total;
          expect(total.held >= 0n && total.held <= 100n).toBe(true);
        }
      }),
    );
  });
});

describe('the holds of one write', () => {
  const soft = (key: string, delta: bigint, limit: bigint): HoldRequest => ({ key, delta, limit });
  const hard = (key: string, delta: bigint, limit: bigint): HoldRequest => ({ key, delta, limit, hard: true });
  const refusedIn = (outcome: object) =>
    'refused' in outcome ? (outcome.refused as { refused: { request: HoldRequest }[] }).refused : [];

  it('given two soft ones of which one is over its limit, then neither is taken and the write is told', () => {
    const { changed, outcomes } = decideHolds([[soft('payer', 5n, 10n), soft('tenant', 5n, 4n)]], new Map());
    expect(outcomes).toEqual([{ held: false }]);
    expect(changed.size).toBe(0);
  });

  it('given a soft one over its limit, then the hard one is taken all the same', () => {
    const { changed, outcomes } = decideHolds([[soft('payer', 5n, 4n), hard('quota', 1n, 1n)]], new Map());
    expect(outcomes).toMatchObject([{ held: false, granted: [{ held: 1n }] }]);
    expect([...changed]).toEqual([['quota', { held: 1n }]]);
  });

  it('given hard ones over their limits, then the write is refused by all of them, and nothing is taken', () => {
    const requests = [hard('day', 1n, 3n), hard('month', 1n, 9n), hard('spend', 5n, 4n), soft('payer', 1n, 9n)];
    const { changed, outcomes } = decideHolds([requests], new Map([['day', { held: 3n }]]));
    expect(refusedIn(outcomes[0]!).map(({ request }) => request.key)).toEqual(['day', 'spend']);
    expect(changed.size).toBe(0);
  });

  it('given several writes at a remaining one, then exactly the first is granted, and those beside it are untouched', () => {
    const one = hard('quota', 1n, 1n);
    const { outcomes } = decideHolds([[one], undefined, [one], [hard('other', 1n, 1n)], [one]], new Map());
    expect(outcomes.map((outcome) => 'refused' in outcome)).toEqual([false, false, true, false, true]);
  });

  it('given what an earlier write of the batch gave back, then a later one may take it', () => {
    const back = { key: 'quota', delta: -1n };
    const { outcomes } = decideHolds([[back], [hard('quota', 1n, 1n)]], new Map([['quota', { held: 1n }]]));
    expect(outcomes).toMatchObject([{ held: true }, { held: true, granted: [{ held: 1n }] }]);
  });
});
