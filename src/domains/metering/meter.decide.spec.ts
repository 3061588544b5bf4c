import { decidePublishMeter, decideWithdrawMeter, PublishMeter, WithdrawMeter } from './meter.decide.js';
import { evolveMeter, type Meter, type MeterEvent } from './meter.js';
import { type MeterRules, meterSchema } from './meter.schemas.js';

const tokens: MeterRules = {
  aggregation: 'sum',
  value: '/tokens',
  eventType: 'completion',
  unit: 'token',
  late: { kind: 'own_period' },
};
const stateOf = (...events: object[]) => (events as MeterEvent[]).reduce<Meter>(evolveMeter, undefined);
const publish = (state: Meter, rules = tokens) =>
  decidePublishMeter(state, new PublishMeter('shop', 'tokens', rules), 1);
const published = { type: 'MeterPublished', schema: 1, data: { tenant: 'shop', id: 'tokens', rules: tokens } };
const withdrawn = { type: 'MeterWithdrawn', schema: 1, data: { tenant: 'shop', id: 'tokens' } };

describe('a meter', () => {
  it('is published with the row that ingestion reads', () => {
    expect(publish(undefined)).toEqual({
      events: [published],
      attachments: [
        { table: 'meters', row: { tenant: 'shop', id: 'tokens', revision: 2, rules: tokens, withdrawn: false } },
      ],
    });
    expect(publish(stateOf(published))).toEqual({ events: [] });
  });

  it('may be given another rule for late events, and no other way to count, even when it was withdrawn', () => {
    const patient: MeterRules = { ...tokens, late: { kind: 'reject', days: 30 } };
    expect(publish(stateOf(published), patient).events).toHaveLength(1);
    for (const state of [stateOf(published), stateOf(published, withdrawn)]) {
      expect(() => publish(state, { ...tokens, aggregation: 'max' })).toThrow(
        expect.objectContaining({ code: 'meter_fixed' }),
      );
    }
    expect(publish(stateOf(published, withdrawn)).events).toEqual([published]);
  });

  it('is withdrawn once, and its row says so', () => {
    const command = new WithdrawMeter('shop', 'tokens');
    expect(decideWithdrawMeter(stateOf(published), command, 1)).toEqual({
      events: [withdrawn],
      attachments: [
        { table: 'meters', row: { tenant: 'shop', id: 'tokens', revision: 2, rules: tokens, withdrawn: true } },
      ],
    });
    expect(decideWithdrawMeter(stateOf(published, withdrawn), command, 2)).toEqual({ events: [] });
    expect(decideWithdrawMeter(undefined, command, 0)).toEqual({ events: [] });
  });

  it.each([
    { aggregation: 'sum', eventType: 'a', unit: 'b' },
    { aggregation: 'count', value: '/a', eventType: 'a', unit: 'b' },
    { aggregation: 'sum', value: 'tokens', eventType: 'a', unit: 'b' },
    { aggregation: 'sum', value: '/~2', eventType: 'a', unit: 'b' },
    { aggregation: 'count', eventType: 'tollbook.usage.voided', unit: 'b' },
    { aggregation: 'count', eventType: 'a\nb', unit: 'b' },
    { aggregation: 'count', eventType: 'a', unit: 'b', late: { kind: 'reject' } },
  ])('is not: %j', (rules) => {
    expect(meterSchema.safeParse(rules).success).toBe(false);
  });
});
