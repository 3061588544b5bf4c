import fc from 'fast-check';
import { decideRolling, type Slots, sumSince } from './rolling-sum.js';

const LENGTH = 10;
const WINDOW = 100;

/** As `limits/quota-key.ts` names slots. */
function rollingAt(at: number) {
  const since = Math.floor((at - WINDOW) / LENGTH) * LENGTH;
  return { slot: Math.floor(at / LENGTH) * LENGTH, since, forgetBefore: since - 2 * LENGTH };
}

describe('a rolling sum', () => {
  it('given a full window, then refuses until enough of it is over, and no request passes before', () => {
    let slots: Slots = new Map();
    const ask = (at: number, delta: bigint) => {
      const decision = decideRolling(slots, { delta, limit: 3n }, rollingAt(at));
      slots = decision.slots;
      return decision.granted;
    };
    expect([ask(0, 2n), ask(5, 1n), ask(50, 1n), ask(100, 1n), ask(109, 1n)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([ask(110, 3n), ask(111, 1n)]).toEqual([true, false]);
  });

  it('given a part back, then it is free again, but never more than was taken from its slot', () => {
    const taken = decideRolling(new Map(), { delta: 2n, limit: 2n }, rollingAt(0)).slots;
    const back = { delta: -5n };
    const always = { slot: 0, since: Number.NEGATIVE_INFINITY, forgetBefore: Number.NEGATIVE_INFINITY };
    expect(decideRolling(taken, back, always)).toEqual({ granted: true, held: 0n, slots: new Map() });
    expect(decideRolling(taken, back, { ...always, slot: 10 }).slots).toEqual(taken);
  });

  it('never admits more than its limit in any window of its length, and remembers no more slots than it needs', () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 60 }), delta: fc.bigInt(1n, 4n) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.bigInt(1n, 9n), (steps, limit) => {
        let slots: Slots = new Map();
        let now = 0;
        const admitted: { at: number; delta: bigint }[] = [];
        for (const { delta, wait } of steps) {
          now += wait;
          const before = sumSince(slots, rollingAt(now).since);
          const decision = decideRolling(slots, { delta, limit }, rollingAt(now));
          slots = decision.slots;
          const window = admitted.filter(({ at }) => at > now - WINDOW).reduce((sum, one) => sum + one.delta, 0n);
          // Strict: what counts is at least what was admitted within the window, and at most a slot more.
          expect(before).toBeGreaterThanOrEqual(window);
          const longer = admitted
            .filter(({ at }) => at > now - WINDOW - LENGTH)
            .reduce((sum, one) => sum + one.delta, 0n);
          expect(before).toBeLessThanOrEqual(longer);
          expect(decision.granted).toBe(before + delta <= limit);
          if (decision.granted) admitted.push({ at: now, delta });
          expect(slots.size).toBeLessThanOrEqual(WINDOW / LENGTH + 4);
        }
      }),
    );
  });
});
