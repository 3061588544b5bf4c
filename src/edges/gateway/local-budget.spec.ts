import fc from 'fast-check';
import { LocalBudget } from './local-budget.js';

const AT = Date.UTC(2026, 10, 25);

describe('a local budget', () => {
  it('grants exactly its quota to each key in each window', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), pause: fc.integer({ min: 0, max: 900 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), (steps, quota) => {
        const budget = new LocalBudget('any', quota, 1);
        const windows = new Map<string, { began: number; granted: number; asked: number }>();
        let now = AT;
        for (const { key, pause } of steps) {
          now += pause;
          let window = windows.get(key);
          if (!window || now >= window.began + 1000) window = { began: now, granted: 0, asked: 0 };
          windows.set(key, window);
          window.asked++;
          if (budget.take(key, now)) window.granted++;
          expect(window.granted).toBe(Math.min(quota, window.asked));
          expect(budget.has(key, now)).toBe(window.granted < quota);
        }
      }),
    );
  });

  it('says where a key stands', () => {
    const budget = new LocalBudget('checks', 2, 10);
    budget.take('a', AT);
    const standing = { policy: 'checks', quota: 2, windowSeconds: 10, remaining: 1, resetSeconds: 7.5 };
    expect(budget.standing('a', AT + 2_500)).toEqual(standing);
    expect(budget.standing('b', AT)).toEqual({ ...standing, remaining: 2, resetSeconds: 10 });
  });

  it('forgets the keys that were idle longest when there are too many', () => {
    const budget = new LocalBudget('any', 1, 3600);
    budget.take('first', AT);
    for (let other = 0; other < 9_998; other++) budget.take(`other ${other}`, AT);
    expect(budget.take('first', AT)).toBe(false);
    for (let other = 9_998; other < 20_000; other++) budget.take(`other ${other}`, AT);
    expect(budget.take('first', AT)).toBe(true);
  });
});
