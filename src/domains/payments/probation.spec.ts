import fc from 'fast-check';
import { decideHolds, type HoldTotals } from '../../base/event-store/hold-totals.js';
import type { PaymentAuthorized } from './payment.js';
import {
  beginProbation,
  lengthenProbation,
  offProbation,
  PROBATION_PAYMENTS,
  probationKey,
  shortenProbation,
} from './probation.js';

const authorized = { tenant: 'demo', terms: { payer: '0x9a' } } as unknown as PaymentAuthorized['data'];
const KEY = 'probation/demo/0x9a';
const changes = { fail: beginProbation, settle: shortenProbation, revert: lengthenProbation };
type What = keyof typeof changes;

/** Writes that commit together are decided in order, each on what the ones before it left; as the event store does. */
function left(groups: readonly (readonly What[])[], from = 0n): bigint {
  let totals: HoldTotals = new Map([[KEY, { held: from }]]);
  for (const group of groups) {
    const { changed } = decideHolds(
      group.map((what) => [changes[what](authorized)]),
      totals,
    );
    totals = new Map([...totals, ...changed]);
  }
  return totals.get(KEY)!.held;
}

const mayBeAsync = (held: bigint) =>
  decideHolds([[offProbation(authorized)]], new Map([[KEY, { held }]])).outcomes[0] as { held: boolean };

const what = fc.constantFrom<What>('fail', 'settle', 'revert');
const history = fc.array(fc.array(what, { minLength: 1, maxLength: 3 }), { maxLength: 40 });

describe('a probation', () => {
  it('is counted of one payer at one tenant', () => {
    expect(probationKey(authorized)).toBe(KEY);
  });

  it.each<[string, bigint, readonly (readonly What[])[], bigint]>([
    ['begins with a failure', 0n, [['fail']], PROBATION_PAYMENTS],
    ['begins once when two fail at once', 0n, [['fail', 'fail']], PROBATION_PAYMENTS],
    ['is not prolonged by what fails during it', 3n, [['fail']], 3n],
    ['is shortened by a settlement', 10n, [['settle']], 9n],
    ['is shortened by each of two at once, and no further than to its end', 1n, [['settle', 'settle']], 0n],
    ['is as long as before when a settlement is taken back', 10n, [['settle'], ['revert']], 10n],
    ['begins anew after its end', 1n, [['settle'], ['fail']], PROBATION_PAYMENTS],
    ['does not begin with a settlement', 0n, [['settle']], 0n],
  ])('%s', (_, given, when, then) => {
    expect(left(when, given)).toBe(then);
  });

  it('never has fewer than no payments to go, and keeps from async exactly while there are any', () => {
    fc.assert(
      fc.property(history, (groups) => {
        const held = left(groups);
        expect(held).toBeGreaterThanOrEqual(0n);
        expect(mayBeAsync(held).held).toBe(held === 0n);
      }),
    );
  });

  it('ends after ten settlements, and as many more as were taken back, whatever fails meanwhile', () => {
    const during = fc.shuffledSubarray(Array<What>(20).fill('fail'), { minLength: 0 });
    fc.assert(
      fc.property(during, fc.nat(20), (failures, reverts) => {
        const started = left([['fail']]);
        const reverted = left([...failures.map((one) => [one]), Array<What>(reverts).fill('revert')], started);
        const needed = Number(PROBATION_PAYMENTS) + reverts;
        const settlements = (n: number) => left([Array<What>(n).fill('settle')], reverted);
        expect(settlements(needed)).toBe(0n);
        expect(mayBeAsync(settlements(needed - 1)).held).toBe(false);
      }),
    );
  });
});
