import fc from 'fast-check';
import { amountOf, type Described, fieldsAtFault, priceOf } from '../../../../test/support/priced.js';
import type { TariffRules } from '../tariff.schemas.js';

type Modifier = NonNullable<TariffRules['modifiers']>[number];

/** A price of 1000, so that the amount is the factor in permille. */
const modified = (...modifiers: Modifier[]): TariffRules => ({
  charges: [{ model: 'flat', amount: '1000' }],
  modifiers,
  period: 'month',
});
const factorOf = (modifier: Modifier, request: Described = {}) => amountOf(modified(modifier), request);
const factor = fc.integer({ min: 1, max: 5_000 });

describe('load', () => {
  const surge = { kind: 'load', from: 500, to: 1000, permille: 3000 } as const;

  it.each([
    [0, 1000n],
    [500, 1000n],
    [501, 1004n],
    [750, 2000n],
    [999, 2996n],
    [1000, 3000n],
    [25_000, 3000n],
  ])('of %i permille makes %i', (load, expected) => {
    expect(factorOf(surge, { load })).toBe(expected);
  });

  it('never makes a price fall as it rises, and never passes the bound', () => {
    const bounds = fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1000, max: 9_000 }));
    fc.assert(
      fc.property(bounds, fc.nat(5_000), fc.nat(5_000), ([from, width, permille], load, more) => {
        const modifier: Modifier = { kind: 'load', from, to: from + width, permille };
        const [low, high] = [factorOf(modifier, { load }), factorOf(modifier, { load: load + more })];
        expect(low).toBeGreaterThanOrEqual(1000n);
        expect(high).toBeGreaterThanOrEqual(low);
        expect(high).toBeLessThanOrEqual(BigInt(permille));
      }),
    );
  });
});

describe('volume', () => {
  const tiers = [{ upTo: 1000, permille: 1000 }, { upTo: 5000, permille: 800 }, { permille: 500 }];

  it.each([
    [0n, 1000n],
    [999n, 1000n],
    [1000n, 800n],
    [4999n, 800n],
    [5000n, 500n],
  ])('of %i units used makes %i', (used, expected) => {
    expect(factorOf({ kind: 'volume', tiers }, { used })).toBe(expected);
  });
});

describe('class', () => {
  const classes = [
    { id: 'standard', permille: 1000 },
    { id: 'fast', permille: 2500 },
    { id: 'slow', permille: 600 },
  ];
  const by = (field: Extract<Modifier, { kind: 'class' }>['by']): Modifier => ({ kind: 'class', by: field, classes });
  const byHeader = by({ in: 'header', name: 'x-quality' });
  const chosen = (modifier: Modifier, request: Described) => priceOf(modified(modifier), request).class;

  it.each<[string, Modifier, Described]>([
    ['a header', byHeader, { headers: { 'x-quality': 'slow' } }],
    ['the query', by({ in: 'query', name: 'quality' }), { query: '?quality=slow' }],
    ['the path', by({ in: 'path', name: 'quality' }), { path: { quality: 'slow' } }],
    ['the body', by({ in: 'body', pointer: '/options/quality' }), { body: '{"options":{"quality":"slow"}}' }],
  ])('is chosen by %s', (_place, modifier, request) => {
    expect(chosen(modifier, request)).toBe('slow');
    expect(factorOf(modifier, request)).toBe(600n);
  });

  it('is the first where none is chosen, and the dearest where the name says nothing or two things', () => {
    expect(chosen(byHeader, {})).toBe('standard');
    expect(chosen(byHeader, { headers: { 'x-quality': 'SLOW' } })).toBe('fast');
    expect(chosen(byHeader, { headers: { 'x-quality': ['slow', 'fast'] } })).toBe('fast');
    expect(chosen(by({ in: 'query', name: 'q' }), { query: '?q=slow&q=fast' })).toBe('fast');
    expect(chosen(by({ in: 'body', pointer: '/q' }), { body: 'slow' })).toBe('fast');
  });

  it('that the caller paid for counts only where the request names none', () => {
    expect(chosen(byHeader, { class: 'slow' })).toBe('slow');
    expect(chosen(byHeader, { headers: { 'x-quality': 'fast' }, class: 'slow' })).toBe('fast');
    expect(chosen(byHeader, { class: 'none of these' })).toBe('standard');
  });

  it('never records what the request said, only whether it is a class', () => {
    const { inputs } = priceOf(modified(byHeader), { headers: { 'x-quality': 'secret' } });
    expect(JSON.stringify(inputs)).not.toContain('secret');
  });
});

describe('time of day', () => {
  const amsterdam = (from: string, to: string, days?: ('mon' | 'sun')[]): Modifier => ({
    kind: 'time_of_day',
    timeZone: 'Europe/Amsterdam',
    windows: [{ from, to, permille: 700, ...(days && { days }) }],
  });

  it.each([
    ['2026-01-15T06:59:59.999Z', 1000n],
    ['2026-01-15T07:00:00Z', 700n],
    ['2026-01-15T16:59:59.999Z', 700n],
    ['2026-01-15T17:00:00Z', 1000n],
    // Summer time: one hour earlier in UTC.
    ['2026-07-15T05:59:59Z', 1000n],
    ['2026-07-15T06:00:00Z', 700n],
    ['2026-07-15T16:00:00Z', 1000n],
  ])('from 8 to 18 in Amsterdam is in force at %s: %i', (at, expected) => {
    expect(factorOf(amsterdam('08:00', '18:00'), { at })).toBe(expected);
  });

  it('counts days by the local calendar', () => {
    const monday = amsterdam('00:00', '24:00', ['mon']);
    expect(factorOf(monday, { at: '2026-11-22T22:59:59Z' })).toBe(1000n);
    expect(factorOf(monday, { at: '2026-11-22T23:00:00Z' })).toBe(700n);
    expect(factorOf(monday, { at: '2026-11-23T22:59:59Z' })).toBe(700n);
    expect(factorOf(monday, { at: '2026-11-23T23:00:00Z' })).toBe(1000n);
  });

  it('holds twice in the hour that is repeated, and never in the hour that is skipped', () => {
    const night = amsterdam('02:00', '03:00');
    // 25 October 2026: 02:00 to 03:00 comes at 00:00 and at 01:00 UTC.
    const autumn = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z'];
    expect(autumn.map((at) => factorOf(night, { at }))).toEqual([700n, 700n, 1000n]);
    // 29 March 2026: after 01:59 comes 03:00.
    const spring = ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-03-29T01:59:59Z'];
    expect(spring.map((at) => factorOf(night, { at }))).toEqual([1000n, 1000n, 1000n]);
  });

  it('agrees with the clock of the zone at any minute', () => {
    const zones = ['Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia', 'UTC'];
    const since = Date.parse('1980-01-01T00:00Z');
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.nat(70 * 365 * 1440), (timeZone, minutes) => {
        const at = new Date(since + minutes * 60_000);
        const clock = at.toLocaleTimeString('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' });
        const [hour, minute] = clock.split(':').map(Number) as [number, number];
        const from = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        const next = hour * 60 + minute + 1;
        const to = `${String(Math.floor(next / 60)).padStart(2, '0')}:${String(next % 60).padStart(2, '0')}`;
        const modifier: Modifier = { kind: 'time_of_day', timeZone, windows: [{ from, to, permille: 700 }] };
        expect(factorOf(modifier, { at: at.toISOString() })).toBe(700n);
      }),
    );
  });

  it.each([
    ['no zone', { timeZone: 'Europe/Atlantis' }, '/modifiers/0/timeZone'],
    ['an offset', { timeZone: '+01:00' }, '/modifiers/0/timeZone'],
    ['no time', { windows: [{ from: '8:00', to: '18:00', permille: 1 }] }, '/modifiers/0/windows/0/from'],
    ['a night', { windows: [{ from: '22:00', to: '06:00', permille: 1 }] }, '/modifiers/0/windows/0/to'],
    [
      'windows that overlap',
      {
        windows: [
          { days: ['mon', 'tue'], from: '08:00', to: '12:00', permille: 900 },
          { days: ['tue'], from: '11:59', to: '13:00', permille: 900 },
        ],
      },
      '/modifiers/0/windows/1',
    ],
  ])('refuses %s', (_what, change, field) => {
    expect(fieldsAtFault(modified({ ...(amsterdam('08:00', '18:00') as object), ...change } as Modifier))).toEqual([
      field,
    ]);
  });
});

describe('modifiers', () => {
  it('multiply, whatever their order, and are rounded up once', () => {
    const priority: Modifier = { kind: 'priority', permille: [2000, 2000, 2000, 1001, 2000, 2000, 2000, 2000] };
    const tiers: Modifier = { kind: 'volume', tiers: [{ permille: 999 }] };
    const load: Modifier = { kind: 'load', from: 0, to: 10, permille: 1003 };
    // 1000 × 1.001 × 0.999 × 1.003 = 1002.998997
    for (const order of [
      [priority, tiers, load],
      [load, tiers, priority],
    ]) {
      expect(amountOf(modified(...order), { load: 10 })).toBe(1003n);
    }
  });

  it('never make a request dearer by a lower factor', () => {
    const request = { load: 700, used: 30n };
    fc.assert(
      fc.property(factor, factor, fc.integer({ min: 1000, max: 4000 }), (a, b, surge) => {
        const rules = (permille: number): TariffRules => ({
          ...modified(
            { kind: 'volume', tiers: [{ upTo: 10, permille: 1 }, { permille }] },
            { kind: 'load', from: 100, to: 900, permille: surge },
          ),
          minimum: '0',
        });
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(amountOf(rules(high), request)).toBeGreaterThanOrEqual(amountOf(rules(low), request));
      }),
    );
  });

  it('say what they looked at', () => {
    const { inputs, steps } = priceOf(
      modified(
        { kind: 'volume', tiers: [{ permille: 900 }] },
        { kind: 'load', from: 0, to: 10, permille: 2000 },
        { kind: 'time_of_day', timeZone: 'UTC', windows: [{ from: '00:00', to: '24:00', permille: 1100 }] },
      ),
      { load: 5, used: 17n, at: '2026-11-25T12:00:00Z' },
    );
    const at = String(Date.parse('2026-11-25T12:00:00Z'));
    expect(inputs).toEqual({ used: '17', load: '5', at });
    expect(steps.slice(1)).toEqual([
      { field: '/modifiers/0', rule: 'volume', value: '17', permille: 900n },
      { field: '/modifiers/1', rule: 'load', value: '5', permille: 1500n },
      { field: '/modifiers/2', rule: 'time_of_day', value: at, permille: 1100n },
    ]);
  });
});
