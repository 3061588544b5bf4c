import { Problem } from '../../base/shared/problem.js';
import { decidePublish, decideWithdraw, PublishLimit, WithdrawLimit } from './limit.decide.js';
import { evolveLimit, type Limit, type LimitEvent } from './limit.js';
import { type LimitRules, limitSchema } from './limit.schemas.js';

const rules: LimitRules = limitSchema.parse({
  ...{ measure: 'requests', quantity: '10', per: 'payer' },
  window: { kind: 'calendar', unit: 'day' },
});
const publish = (next = rules) => new PublishLimit('demo', 'daily', next);
const limitAfter = (events: readonly object[]): Limit =>
  (events as readonly LimitEvent[]).reduce<Limit>(evolveLimit, undefined);

describe('a limit', () => {
  it('given nothing, when published, then an event and its row', () => {
    const { attachments, events } = decidePublish(undefined, publish(), 0);
    expect(limitAfter(events)).toEqual(rules);
    expect(attachments).toEqual([{ table: 'limits', row: { tenant: 'demo', id: 'daily', revision: 1, rules } }]);
  });

  it('given the same rules, when published again, then nothing', () => {
    expect(decidePublish(rules, publish(), 1)).toEqual({ events: [] });
  });

  it('given other rules, when published, then they take their place', () => {
    const more = { ...rules, quantity: '20' };
    expect(limitAfter(decidePublish(rules, publish(more), 3).events)).toEqual(more);
  });

  it('given one payer, then it counts per payer', () => {
    const wrong = { ...rules, per: 'tenant', payer: `0x${'a'.repeat(40)}` } as const;
    expect(() => decidePublish(undefined, publish(wrong), 0)).toThrow(Problem);
  });

  it('given published, when withdrawn, then gone; given nothing, then nothing', () => {
    const withdraw = new WithdrawLimit('demo', 'daily');
    const { events, removals } = decideWithdraw(rules, withdraw);
    expect(limitAfter(events)).toBeUndefined();
    expect(removals).toEqual([{ table: 'limits', key: { tenant: 'demo', id: 'daily' } }]);
    expect(decideWithdraw(undefined, withdraw)).toEqual({ events: [] });
  });

  it.each([
    ['a window that is none', { window: { kind: 'rolling', seconds: 0 } }],
    ['a zone that is none', { window: { kind: 'calendar', unit: 'day', timeZone: '+01:00' } }],
    ['a quantity that is none', { quantity: '1.5' }],
    ['no window', { window: undefined }],
    ['a payer that is none', { payer: '0x12' }],
    ['exposure in a window', { measure: 'exposure' }],
  ])('is not %s', (_what, over) => {
    expect(limitSchema.safeParse({ ...rules, ...over }).success).toBe(false);
  });
});
