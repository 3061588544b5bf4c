import fc from 'fast-check';
import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { type ExactJson, parseExactJson } from '../../src/base/shared/exact-json.js';
import { PublishMeter } from '../../src/domains/metering/meter.decide.js';
import { meterSchema } from '../../src/domains/metering/meter.schemas.js';
import { UsageIngestion } from '../../src/domains/metering/usage-ingestion.js';
import { usageTotals } from '../../src/domains/metering/usage-totals.queries.js';
import { usageCheck } from '../../src/domains/reports/checks/usage.check.js';
import { upcast } from '../../src/event-catalogue.js';
import { freshDatabase } from '../support/engines.js';
import { publish } from '../support/publishing.js';
import { runOn } from '../verify/checks.js';

const ALL = { from: new Date(0), to: new Date('9000-01-01') };
const meters = {
  calls: { aggregation: 'count' },
  tokens: { aggregation: 'sum', value: '/n' },
  peak: { aggregation: 'max', value: '/n' },
  users: { aggregation: 'unique', value: '/user' },
  level: { aggregation: 'latest', value: '/n' },
};

let url: string;
let pool: Pool;
let ingestions: readonly UsageIngestion[];

/** Two of them, as two processes have. */
beforeAll(async () => {
  url = await freshDatabase();
  pool = openPool(url, 'test', 8, console);
  ingestions = [1, 2].map(() => new UsageIngestion(pool, new EventStore(pool, systemClock, upcast), systemClock));
});
afterAll(() => pool?.end());

let tenants = 0;
async function newTenant(): Promise<string> {
  const tenant = `t${++tenants}`;
  const publications = Object.entries(meters).map(([id, rules]) => {
    const parsed = meterSchema.parse({ ...rules, eventType: 'used', unit: 'thing' });
    return new PublishMeter(tenant, id, parsed);
  });
  await publish(url, publications);
  return tenant;
}

interface Sent {
  readonly id: string;
  readonly [attribute: string]: unknown;
}

function used(id: string, change: object = {}): Sent {
  const attributes = { specversion: '1.0', source: '/a', type: 'used', subject: 'cus_1', time: '2026-11-25T04:00:00Z' };
  return { ...attributes, id, data: { n: 1, user: 'ann' }, ...change };
}

const voided = (id: string, replaces: string) => used(id, { type: 'tollbook.usage.voided', replaces, data: undefined });

async function send(tenant: string, sent: readonly object[], { atomic = false, by = 0 } = {}): Promise<string[]> {
  const events = parseExactJson(Buffer.from(JSON.stringify(sent))) as readonly ExactJson[];
  const results = await ingestions[by]!.ingest(tenant, events, { atomic });
  return results.map((one) => (one?.result === 'rejected' ? one.reason : (one?.result ?? 'none')));
}

async function totals(tenant: string, per: 'day' | 'whole' = 'whole'): Promise<Record<string, string>> {
  const rows = await usageTotals(pool, { tenant, per, ...ALL });
  return Object.fromEntries(
    rows.map(({ customer, day = '', meter, total }) => [`${customer} ${meter} ${day}`.trim(), total]),
  );
}

async function batches(tenant: string): Promise<readonly number[]> {
  const { rows } = await pool.query<{ events: number }>(
    `select (data->>'events')::int as events from events where type = 'UsageIngested' and tenant = $1 order by position`,
    [tenant],
  );
  return rows.map(({ events }) => events);
}

async function expectSealed(): Promise<void> {
  expect((await runOn(url, [usageCheck])).usage).toMatchObject({ differences: [] });
}

describe('a usage event', () => {
  it('is taken once for ever, and under its name nothing else', async () => {
    const tenant = await newTenant();
    expect(await send(tenant, [used('1'), used('1'), used('2')])).toEqual(['accepted', 'duplicate', 'accepted']);
    expect(await send(tenant, [used('1'), used('1', { data: { n: 2, user: 'ann' } })], { by: 1 })).toEqual([
      ...['duplicate', 'usage_id_reused'],
    ]);
    expect(await send(tenant, [used('1', { source: '/b' })])).toEqual(['accepted']);
    // Whatever else would stand against it now: it was taken.
    await pool.query('update meters set withdrawn = true where tenant = $1', [tenant]);
    expect(await send(tenant, [used('1'), used('1', { data: 7 }), used('3')])).toEqual([
      ...['duplicate', 'usage_id_reused', 'usage_type_unknown'],
    ]);
    expect(await send(await newTenant(), [used('1')])).toEqual(['accepted']);
    expect(await batches(tenant)).toEqual([2, 1]);
    await expectSealed();
  });

  it('is never changed or deleted', async () => {
    const tenant = await newTenant();
    await send(tenant, [used('1')]);
    await expect(pool.query('update usage_events set line = 2')).rejects.toThrow('never changed');
    await expect(pool.query('delete from usage_events')).rejects.toThrow('never changed');
  });

  it('is stored with all of its batch or none, if one asks for that', async () => {
    const tenant = await newTenant();
    await send(tenant, [used('1')]);
    const reused = used('1', { data: { n: 5, user: 'bob' } });
    expect(await send(tenant, [used('2'), reused], { atomic: true })).toEqual(['none', 'usage_id_reused']);
    expect(await send(tenant, [used('2'), used('3', { id: '' })], { atomic: true })).toEqual([
      ...['none', 'invalid_usage_event'],
    ]);
    expect(await batches(tenant)).toEqual([1]);
    // It refuses nobody else who is under way.
    const [refused, taken] = await Promise.all([
      send(tenant, [used('2'), reused], { atomic: true }),
      send(tenant, [used('2'), used('4')], { atomic: true }),
    ]);
    expect([refused, taken]).toEqual([
      ['none', 'usage_id_reused'],
      ['accepted', 'accepted'],
    ]);
    expect(await send(tenant, [used('1'), used('5')], { atomic: true })).toEqual(['duplicate', 'accepted']);
  });
});

describe('an event that takes the place of another one', () => {
  it('counts instead of it, once, and can be replaced and taken back itself', async () => {
    const tenant = await newTenant();
    await send(tenant, [used('1', { data: { n: 10, user: 'ann' } }), used('2')]);
    const right = used('3', { replaces: '1', data: { n: 4, user: 'bob' } });
    expect(await send(tenant, [right])).toEqual(['accepted']);
    expect(await totals(tenant)).toMatchObject({ 'cus_1 tokens': '5', 'cus_1 calls': '2', 'cus_1 peak': '4' });
    expect(await send(tenant, [right, used('4', { replaces: '1' }), used('5', { replaces: '9' })])).toEqual([
      ...['duplicate', 'usage_already_replaced', 'usage_replaces_unknown'],
    ]);
    expect(await send(tenant, [voided('6', '3')])).toEqual(['accepted']);
    expect(await totals(tenant)).toMatchObject({ 'cus_1 tokens': '1' });
    expect(await send(tenant, [used('7', { replaces: '6' })])).toEqual(['accepted']);
    expect(await totals(tenant)).toMatchObject({ 'cus_1 tokens': '2' });
    await expectSealed();
  });

  it('may come in one batch with it, in any order, and is decided between two that come at once', async () => {
    const tenant = await newTenant();
    expect(await send(tenant, [used('2', { replaces: '1' }), used('1'), used('3', { replaces: '2' })])).toEqual([
      ...['accepted', 'accepted', 'usage_replaces_unknown'],
    ]);
    const rivals = await Promise.all([0, 1].map((by) => send(tenant, [used(`r${by}`, { replaces: '2' })], { by })));
    expect(rivals.flat().sort()).toEqual(['accepted', 'usage_already_replaced']);
    expect(await totals(tenant)).toMatchObject({ 'cus_1 calls': '1' });
  });
});

/** What the totals are by a few lines that share nothing with them. */
function reckoned(events: readonly Sent[]): Record<string, string> {
  const counted = new Map(events.map((event) => [event.id, event]));
  for (const { replaces } of events) if (replaces !== undefined) counted.delete(replaces as string);
  const groups = new Map<string, Sent[]>();
  for (const one of counted.values()) {
    const key = `${one.subject} ${new Date(one.time as string).toISOString().slice(0, 10)}`;
    if (one.type === 'used') groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const sums: Record<string, string> = {};
  for (const [key, group] of groups) {
    const [customer, day] = key.split(' ') as [string, string];
    const data = group.map((event) => ({
      ...(event.data as { n: string; user: string }),
      time: event.time as string,
      id: event.id,
    }));
    const micro = (n: string) => BigInt(n.split('.')[0]!) * 1_000n + BigInt((n.split('.')[1] ?? '').padEnd(3, '0'));
    const last = data.sort((a, b) => Date.parse(a.time) - Date.parse(b.time) || (a.id < b.id ? -1 : 1)).at(-1)!;
    const [sum, max] = [
      data.reduce((total, { n }) => total + micro(n), 0n),
      data
        .map(({ n }) => micro(n))
        .sort((a, b) => (a < b ? -1 : 1))
        .at(-1)!,
    ];
    sums[`${customer} calls ${day}`] = String(data.length);
    sums[`${customer} users ${day}`] = String(new Set(data.map(({ user }) => user)).size);
    sums[`${customer} level ${day}`] = last.n;
    for (const [meter, value] of [
      ['tokens', sum],
      ['peak', max],
    ] as const) {
      const text = `${value / 1_000n}.${String(value % 1_000n).padStart(3, '0')}`;
      sums[`${customer} ${meter} ${day}`] = text.replace(/\.?0+$/, '');
    }
  }
  return sums;
}

describe('totals', () => {
  const event = fc.record({
    subject: fc.constantFrom('cus_1', 'cus_2'),
    time: fc.constantFrom(
      ...['2026-10-31T23:59:59.999Z', '2026-11-01T01:00:00+02:00', '2026-11-01T00:00:00Z', '2026-11-02T12:00:00Z'],
    ),
    data: fc.record({
      n: fc
        .tuple(fc.nat(10_000), fc.integer({ min: 1, max: 999 }))
        .map(([a, b]) => `${a}.${String(b).padStart(3, '0')}`),
      user: fc.constantFrom('ann', 'bob', 'eve'),
    }),
  });
  const life = fc.record({
    events: fc.array(event, { minLength: 1, maxLength: 25 }),
    replaced: fc.infiniteStream(fc.constantFrom('no', 'no', 'no', 'voided', 'corrected')),
    order: fc.infiniteStream(fc.nat()),
    sizes: fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
  });

  it('are the same however events are shuffled, repeated and cut into batches, by two processes at once', async () => {
    await fc.assert(
      fc.asyncProperty(life, async ({ events, order, replaced, sizes }) => {
        const tenant = await newTenant();
        const first = events.map((one, index) => used(`e${index}`, one));
        const later = first.flatMap(({ id, ...one }) => {
          const how = replaced.next().value;
          if (how === 'no') return [];
          return how === 'voided'
            ? [voided(`v${id}`, id)]
            : [used(`c${id}`, { ...one, replaces: id, subject: 'cus_3' })];
        });
        for (const wave of [first, later]) {
          const repeated = wave.flatMap((one) => (order.next().value % 10 < 3 ? [one, one] : [one]));
          const shuffled = repeated
            .map((one) => ({ one, key: order.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ one }) => one);
          const sending: Promise<string[]>[] = [];
          for (let at = 0; at < shuffled.length; ) {
            const size = sizes.next().value;
            sending.push(send(tenant, shuffled.slice(at, at + size), { by: sending.length % 2 }));
            at += size;
          }
          const results = (await Promise.all(sending)).flat();
          expect(results.filter((one) => one === 'accepted')).toHaveLength(wave.length);
          expect(results.filter((one) => one === 'duplicate')).toHaveLength(shuffled.length - wave.length);
        }
        expect(await totals(tenant, 'day')).toEqual(reckoned([...first, ...later]));
        expect((await batches(tenant)).reduce((sum, count) => sum + count, 0)).toBe(first.length + later.length);
      }),
      { numRuns: 15 },
    );
    await expectSealed();
  });
});
