import { decideRemoveAllowance, decideSetAllowance, RemoveAllowance, SetAllowance } from './allowance.decide.js';
import { type Allowance, type AllowanceEvent, allowanceKey, evolveAllowance, periodOf } from './allowance.js';

const PAYER = `0x${'ab'.repeat(20)}` as const;
const NOW = Date.UTC(2026, 11, 31, 23, 59, 59, 999);
const allowance: Allowance = { counts: 'requests', limit: '100', period: 'month' };

describe('an allowance', () => {
  it('is set with its row, and nothing is written for the one that stands', () => {
    const { attachments, events } = decideSetAllowance(undefined, new SetAllowance('demo', PAYER, allowance), NOW, 2);
    expect(evolveAllowance(undefined, events[0] as AllowanceEvent)).toEqual(allowance);
    expect(attachments).toMatchObject([{ row: { payer: PAYER, quota: '100', revision: 3 } }]);
    expect(decideSetAllowance(allowance, new SetAllowance('demo', PAYER, allowance), NOW, 3).events).toEqual([]);
  });

  it('of each proven customer names nobody', () => {
    const { attachments, events } = decideSetAllowance(
      undefined,
      new SetAllowance('demo', undefined, allowance),
      NOW,
      0,
    );
    expect(events[0]!.data).not.toHaveProperty('payer');
    expect(attachments).toMatchObject([{ row: { payer: '*' } }]);
  });

  it('is taken away once', () => {
    const remove = new RemoveAllowance('demo', PAYER);
    expect(decideRemoveAllowance(allowance, remove).removals).toEqual([
      { table: 'allowances', key: { tenant: 'demo', payer: PAYER } },
    ]);
    expect(decideRemoveAllowance(undefined, remove)).toEqual({ events: [] });
  });
});

describe('a period', () => {
  it('is a calendar month or day in UTC', () => {
    expect(periodOf({ period: 'month' }, NOW)).toEqual({
      ...{ name: '2026-12', start: Date.UTC(2026, 11, 1), end: Date.UTC(2027, 0, 1) },
    });
    expect(periodOf({ period: 'day' }, NOW)).toEqual({
      ...{ name: '2026-12-31', start: Date.UTC(2026, 11, 31), end: Date.UTC(2027, 0, 1) },
    });
    expect(periodOf({ period: 'month' }, NOW + 1).name).toBe('2027-01');
  });

  it('has a count of its own', () => {
    const [december, january] = [NOW, NOW + 1].map((at) => periodOf(allowance, at)) as [never, never];
    expect(allowanceKey('demo', PAYER, allowance, december)).toBe(`free/demo/${PAYER}/requests/2026-12`);
    expect(allowanceKey('demo', PAYER, allowance, january)).toBe(`free/demo/${PAYER}/requests/2027-01`);
  });
});
