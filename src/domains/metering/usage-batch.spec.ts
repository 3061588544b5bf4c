import { parseExactJson } from '../../base/shared/exact-json.js';
import type { MeterRules } from './meter.schemas.js';
import type { MetersByType, NamedMeter } from './meters.queries.js';
import { readBatch } from './usage-batch.js';

const NOW = Date.parse('2026-11-25T04:00:00Z');
const DAY = 86_400_000;
const late = { kind: 'own_period' } as const;
const meter = (id: string, rules: Partial<MeterRules>) =>
  ({ id, aggregation: 'sum', value: '/n', eventType: 'used', unit: 'thing', late, ...rules }) as NamedMeter;

function judged(change: object, ...meters: readonly NamedMeter[]) {
  const event = {
    ...{ specversion: '1.0', id: '1', source: '/a', type: 'used', subject: 'cus_1', time: new Date(NOW).toISOString() },
    ...change,
  };
  const byType: MetersByType = new Map([['used', meters]]);
  const { candidates, results } = readBatch([parseExactJson(Buffer.from(JSON.stringify(event)))], byType, NOW);
  return candidates[0]?.refusal ?? results[0] ?? candidates[0]?.metered;
}

describe('what is counted of an event', () => {
  it('is what each meter of its type says, with all digits', () => {
    const data = { n: 1.5, 'a/b': { '~': '0.000000000000000001' }, user: 'ann' };
    const meters = [
      meter('sum', {}),
      meter('deep', { value: '/a~1b/~0' }),
      meter('calls', { aggregation: 'count' }),
      meter('users', { aggregation: 'unique', value: '/user' }),
    ];
    expect(judged({ data }, ...meters)).toEqual({ sum: '1.5', deep: '0.000000000000000001', calls: '1', users: 'ann' });
  });

  it('is nothing if it takes another one back', () => {
    expect(judged({ type: 'tollbook.usage.voided', replaces: '0' })).toEqual({});
  });

  it.each([
    [{ data: {} }, ['data', 'n']],
    [{}, ['data', 'n']],
    [{ data: { n: -1 } }, ['data', 'n']],
    [{ data: { n: '1e3' } }, ['data', 'n']],
    [{ data: { n: 1e21 } }, ['data', 'n']],
    [{ data: { n: null } }, ['data', 'n']],
    [{ data: { n: '01' } }, ['data', 'n']],
    [{ data: { n: '0.1234567890123456789' } }, ['data', 'n']],
  ])('is no %j', (change, path) => {
    expect(judged(change, meter('sum', {}))).toMatchObject({ result: 'rejected', reason: 'invalid_usage_event', path });
  });
});

describe('an event is refused', () => {
  const at = (time: number) => ({ time: new Date(time).toISOString(), data: { n: 1 } });

  it('if no meter counts its type', () => {
    expect(judged({ type: 'other' }, meter('sum', {}))).toMatchObject({ reason: 'usage_type_unknown' });
  });

  it('if it is from the future, but clocks may differ', () => {
    expect(judged(at(NOW + 300_001), meter('sum', {}))).toMatchObject({ reason: 'usage_in_future' });
    expect(judged(at(NOW + 300_000), meter('sum', {}))).toEqual({ sum: '1' });
  });

  it('if it is later than the strictest of its meters allows', () => {
    const meters = [
      meter('sum', { late: { kind: 'reject', days: 3 } }),
      meter('calls', { aggregation: 'count', late: { kind: 'reject', days: 9 } }),
    ];
    expect(judged(at(NOW - 3 * DAY - 1), ...meters)).toMatchObject({ reason: 'usage_too_late', path: ['time'] });
    expect(judged(at(NOW - 3 * DAY), ...meters)).toEqual({ sum: '1', calls: '1' });
    expect(judged(at(NOW - 300 * DAY), meter('sum', {}))).toEqual({ sum: '1' });
  });
});
