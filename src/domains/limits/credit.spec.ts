import fc from 'fast-check';
import { decideHolds, type HoldTotals } from '../../base/event-store/hold-totals.js';
import { creditHold, creditKey, isCredit, paidIn } from './credit.js';
import { countedAt } from './quota-key.js';

const account = { tenant: 'demo', customer: 'cus_1' };
const key = creditKey('demo', 'cus_1');

describe('what an account owes', () => {
  it('has a key of its own', () => {
    expect(key).toBe('credit/demo/cus_1');
    expect([isCredit(key), isCredit('exposure/demo')]).toEqual([true, false]);
  });

  it('is below zero when more was paid in than used, and that much can be used without a line', () => {
    const writes = [[paidIn(account, 10n)], [creditHold(account, 7n, 0n)], [creditHold(account, 4n, 0n)]];
    const { changed, outcomes } = decideHolds(writes, new Map());
    expect(outcomes.map((outcome) => 'refused' in outcome)).toEqual([false, false, true]);
    expect(changed.get(key)).toEqual({ held: -3n });
  });

  it('is given back by the key that an event names, below zero as well', () => {
    const { changed } = decideHolds([[{ ...countedAt(key), delta: -5n }]], new Map([[key, { held: -3n }]]));
    expect(changed.get(key)).toEqual({ held: -8n });
  });

  it('counts money that is gone again whatever the line: then nothing is let in until it is paid', () => {
    const totals: HoldTotals = new Map([[key, { held: 90n }]]);
    const writes = [[paidIn(account, -20n)], [creditHold(account, 1n, 100n)], [paidIn(account, 11n)]];
    const { changed, outcomes } = decideHolds([...writes, [creditHold(account, 1n, 100n)]], totals);
    expect(outcomes.map((outcome) => 'refused' in outcome)).toEqual([false, true, false, false]);
    expect(changed.get(key)).toEqual({ held: 100n });
  });

  it('never passes the line by what is let in, and no amount is lost, whatever the order', () => {
    const amount = fc.bigInt(1n, 60n);
    const step = fc.record({ kind: fc.constantFrom('hold', 'release', 'pay'), amount });
    fc.assert(
      fc.property(fc.array(step), fc.bigInt(0n, 100n), (steps, line) => {
        let totals: HoldTotals = new Map();
        let sum = 0n;
        for (const { amount, kind } of steps) {
          const request =
            kind === 'hold'
              ? creditHold(account, amount, line)
              : kind === 'pay'
                ? paidIn(account, amount)
                : { ...countedAt(key), delta: -amount };
          const { changed, outcomes } = decideHolds([[request]], totals);
          if (!('refused' in outcomes[0]!)) sum += request.delta;
          totals = new Map([...totals, ...changed]);
          expect(totals.get(key)?.held ?? 0n).toBe(sum);
          expect(sum <= line).toBe(true);
        }
      }),
    );
  });
});
