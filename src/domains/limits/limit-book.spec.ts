import fc from 'fast-check';
import { decideHolds, type HoldTotals } from '../../base/event-store/hold-totals.js';
import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import { type Counted, LimitBook, type LimitRow } from './limit-book.js';
import { countedAt, eventKeyOf, parseQuotaKey, slotLength } from './quota-key.js';

const [ANN, BEN]: Address[] = [`0x${'a'.repeat(40)}`, `0x${'b'.repeat(40)}`];
const TENANT = { id: 'demo', network: 'eip155:84532', asset: `0x${'c'.repeat(40)}` } as const;
const NOON = Date.parse('2026-11-25T12:00Z');
const DAY = { kind: 'calendar', unit: 'day', timeZone: 'UTC' };

const bookOf = (rules: Record<string, object>) =>
  new LimitBook(
    Object.entries(rules).map(([id, rest]): LimitRow => ({ tenant: 'demo', id, rules: { quantity: '10', ...rest } })),
  );
const request = (over: Partial<Counted> = {}): Counted => ({
  ...{ tenant: TENANT, route: 'weather', payer: ANN!, units: 7n, amount: 500n },
  ...over,
});

describe('the quotas of a request', () => {
  it('are those that concern it, each in its own measure', () => {
    const book = bookOf({
      all: { measure: 'requests', per: 'tenant', window: DAY },
      each: { measure: 'units', per: 'payer', window: { kind: 'rolling', seconds: 60 } },
      money: { measure: 'amount', per: 'payer', window: DAY },
      bens: { measure: 'requests', per: 'payer', payer: BEN, window: DAY },
      files: { measure: 'requests', per: 'tenant', routes: ['files'], window: DAY },
    });
    const end = Date.parse('2026-11-26T00:00Z') / 1000;
    expect(book.quotasOf(request(), NOON).map((hold) => [eventKeyOf(hold), hold.delta])).toEqual([
      [`quota/demo/all/day/*/${end}`, 1n],
      [`quota/demo/each:units/60s/${ANN}@${NOON}`, 7n],
      [`spend/demo/money:${TENANT.network}:${TENANT.asset}/day/${ANN}/${end}`, 500n],
    ]);
    const keys = book
      .quotasOf(request({ payer: BEN, route: 'files' }), NOON)
      .map(({ key }) => parseQuotaKey(key)!.limit);
    expect(keys).toEqual(['all', 'each', 'money', 'bens', 'files']);
    expect(book.quotasOf(request({ tenant: { ...TENANT, id: 'other' } }), NOON)).toEqual([]);
  });

  it('of a meter are those of units that tariffs count in it, whatever the route', () => {
    const tokens = bookOf({ tokens: { measure: 'units', meter: 'tokens', per: 'payer', window: DAY } });
    const keys = (over: Partial<Counted>) => tokens.quotasOf(request(over), NOON).map(({ key, delta }) => [key, delta]);
    const end = Date.parse('2026-11-26T00:00Z') / 1000;
    const counted = [[`quota/demo/tokens:units:tokens/day/${ANN}/${end}`, 7n]];
    expect(keys({ meter: 'tokens' })).toEqual(counted);
    expect(keys({ meter: 'tokens', route: 'files' })).toEqual(counted);
    expect(keys({ meter: 'bytes' })).toEqual([]);
    expect(keys({})).toEqual([]);
  });

  it('count every request of a calendar window under one key, and the next one under another', () => {
    const book = bookOf({
      daily: { measure: 'requests', per: 'payer', window: { ...DAY, timeZone: 'Europe/Amsterdam' } },
    });
    const keyAt = (time: string) => book.quotasOf(request(), Date.parse(time))[0]!.key;
    expect(keyAt('2026-10-24T22:00Z')).toBe(keyAt('2026-10-25T22:59:59.999Z'));
    expect(keyAt('2026-10-25T23:00Z')).not.toBe(keyAt('2026-10-25T22:59:59.999Z'));
  });
});

describe('what a quota has counted', () => {
  const other = { ...TENANT, asset: `0x${'d'.repeat(40)}` } as const;
  const keyOf = (rules: object, over: Partial<Counted> = {}) =>
    bookOf({ one: { measure: 'requests', per: 'payer', window: DAY, ...rules } }).quotasOf(
      request({ meter: 'tokens', ...over }),
      NOON,
    )[0]!.key;

  it.each<[string, object]>([
    ['another measure', { measure: 'units' }],
    ['a meter', { measure: 'units', meter: 'tokens' }],
    ['another window', { window: { ...DAY, unit: 'week' } }],
    ['a zone whose day ends at another time', { window: { ...DAY, timeZone: 'Asia/Tokyo' } }],
  ])('is not what it counts with %s', (_what, rules) => {
    expect(keyOf(rules)).not.toBe(keyOf({}));
  });

  it('goes on with another quantity, and in a zone whose day ends at the same time', () => {
    expect(keyOf({ quantity: '11' })).toBe(keyOf({}));
    expect(keyOf({ window: { ...DAY, timeZone: 'Etc/UCT' } })).toBe(keyOf({}));
  });

  it('is of one token, if it is money: those of others have other units', () => {
    const money = { measure: 'amount' };
    expect(keyOf(money, { tenant: other })).not.toBe(keyOf(money));
    expect(keyOf({}, { tenant: other })).toBe(keyOf({}));
  });

  it('is forgotten by a limit that now counts something else, so that nothing is retaken or told of it', () => {
    const [hold] = bookOf({ one: { measure: 'units', per: 'payer', window: DAY } }).quotasOf(request(), NOON);
    const [metered] = bookOf({ one: { measure: 'units', meter: 'tokens', per: 'payer', window: DAY } }).quotasOf(
      request({ meter: 'tokens' }),
      NOON,
    );
    const unmetered = bookOf({ one: { measure: 'units', per: 'payer', window: DAY } });
    expect(unmetered.retake([{ key: metered!.key, amount: '7' }], NOON)).toEqual([{ key: metered!.key, delta: 7n }]);
    const now = bookOf({ one: { measure: 'requests', per: 'payer', window: DAY } });
    expect(now.retake([{ key: hold!.key, amount: '7' }], NOON)).toEqual([{ key: hold!.key, delta: 7n }]);
    expect(now.stateOf({ request: hold!, held: 7n })).toBeUndefined();
  });

  it('can be read as earlier versions named it', () => {
    expect(parseQuotaKey('spend/demo/money/60s/*@1200')).toEqual({
      ...{ tenant: 'demo', limit: 'money', window: '60s', subject: '*', measure: 'amount' },
      prefix: 'spend/demo/money/60s/',
    });
  });
});

describe('the exposure of a request', () => {
  const limits = (book: LimitBook, affordable = 10n ** 12n, payer = ANN!) =>
    book.exposureOf(request({ payer }), affordable).map(({ key, limit }) => [key.split('/').length === 5, limit]);

  it('is 100 USDC a payer unless it is said, and never more than the payer has', () => {
    expect(limits(bookOf({}))).toEqual([[true, 100_000_000n]]);
    expect(limits(bookOf({}), 40n)).toEqual([[true, 40n]]);
  });

  it('is what a limit says: of the payer before that of every payer, and of the tenant beside it', () => {
    const book = bookOf({
      every: { measure: 'exposure', per: 'payer', quantity: '200' },
      ann: { measure: 'exposure', per: 'payer', payer: ANN, quantity: '900' },
      whole: { measure: 'exposure', per: 'tenant', quantity: '1000' },
    });
    expect(limits(book)).toEqual([
      [true, 900n],
      [false, 1000n],
    ]);
    expect(limits(book, 10n ** 12n, BEN)[0]).toEqual([true, 200n]);
    expect(book.exposureOf(request(), 1n).some(({ hard }) => hard)).toBe(false);
  });
});

describe('where a caller stands', () => {
  const rolling = bookOf({ r: { measure: 'requests', per: 'payer', window: { kind: 'rolling', seconds: 60 } } });

  it('given a calendar window, then it resets at its end', () => {
    const book = bookOf({ d: { measure: 'requests', per: 'payer', window: DAY } });
    const [hold] = book.quotasOf(request(), NOON);
    const state = book.stateOf({ request: hold!, held: 4n });
    expect(state).toEqual({
      ...{ id: 'd', measure: 'requests', quantity: 10n, used: 4n, windowMs: 86_400_000 },
      resetsAt: Date.parse('2026-11-26T00:00Z'),
    });
  });

  it('given a full rolling window, then a request passes at the time that is told, and not a moment before', () => {
    const [hold] = rolling.quotasOf(request(), NOON);
    const slots = new Map([
      [NOON - 30_000, 9n],
      [NOON, 1n],
    ]);
    const { resetsAt } = rolling.stateOf({ request: hold!, held: 10n, slots })!;
    const grantedAt = (at: number) => {
      const { outcomes } = decideHolds([rolling.quotasOf(request(), at)], new Map([[hold!.key, { held: 10n, slots }]]));
      return !('refused' in outcomes[0]!);
    };
    expect([grantedAt(resetsAt! - 1), grantedAt(resetsAt!)]).toEqual([false, true]);
    expect(resetsAt).toBe(NOON - 30_000 + slotLength(60) + 60_000);
  });

  it('given a request that is larger than the limit, then no time is named', () => {
    const request = { ...rolling.quotasOf({ ...base(), units: 1n }, NOON)[0]!, delta: 11n };
    expect(rolling.stateOf({ request, held: 0n, slots: new Map() })!.resetsAt).toBeUndefined();
  });

  const base = () => request();
});

describe('running an interrupted request again', () => {
  it('takes its place in a window that still runs only if there is one, and in one that is over in any case', () => {
    const book = bookOf({
      d: { measure: 'requests', per: 'payer', window: DAY },
      r: { measure: 'requests', per: 'payer', window: { kind: 'rolling', seconds: 60 } },
    });
    const holds = book.quotasOf(request(), NOON).map((hold) => ({ key: eventKeyOf(hold), amount: '1' }));
    expect(book.retake(holds, NOON + 30_000).map(({ hard, limit }) => [hard, limit])).toEqual([
      [true, 10n],
      [true, 10n],
    ]);
    const later = book.retake(holds, NOON + 86_400_000);
    expect(later.map(({ hard }) => hard)).toEqual([undefined, undefined]);
    expect(later.map(eventKeyOf)).toEqual(holds.map(({ key }) => key));
    expect(
      bookOf({})
        .retake(holds, NOON)
        .map(({ limit }) => limit),
    ).toEqual([undefined, undefined]);
  });
});

/** The reference: a list of what was admitted and not given back, and when. */
interface Admitted {
  readonly at: number;
  readonly payer: Address;
  readonly units: bigint;
  back: boolean;
}

describe('admissions, failures and turns of the window, against a reference', () => {
  const step = fc.record({
    wait: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 90_000_000 })),
    payer: fc.constantFrom(ANN!, BEN!),
    units: fc.bigInt(0n, 6n),
    /** Which earlier one fails now, if any. */
    fails: fc.option(fc.nat(30)),
  });
  const rules = {
    perDay: { measure: 'requests', per: 'tenant', quantity: '6', window: DAY },
    units: {
      measure: 'units',
      per: 'payer',
      quantity: '9',
      window: { kind: 'calendar', unit: 'hour', timeZone: 'Asia/Kolkata' },
    },
  };
  const hourOf = (at: number) => Math.floor((at + 1_800_000) / 3_600_000);
  const dayOf = (at: number) => Math.floor(at / 86_400_000);

  it('admit the same ones', () => {
    const book = bookOf(rules);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const totals: HoldTotals = new Map();
        const ask = (holds: readonly HoldRequest[]) => {
          const { changed, outcomes } = decideHolds([holds], totals);
          for (const [key, total] of changed) totals.set(key, total);
          return !('refused' in outcomes[0]!);
        };
        const admitted: Admitted[] = [];
        const taken: (readonly HoldRequest[])[] = [];
        let now = NOON;
        for (const { fails, payer, units, wait } of steps) {
          now += wait;
          const failed = fails === null ? undefined : admitted[fails];
          if (failed && !failed.back) {
            failed.back = true;
            ask(taken[fails!]!.map((hold) => ({ ...countedAt(eventKeyOf(hold)), delta: -hold.delta })));
          }
          const open = admitted.filter(({ back }) => !back);
          const today = open.filter(({ at }) => dayOf(at) === dayOf(now)).length;
          const thisHour = open.filter((one) => one.payer === payer && hourOf(one.at) === hourOf(now));
          const used = thisHour.reduce((sum, one) => sum + one.units, 0n);
          const holds = book.quotasOf(request({ payer, units }), now);
          const granted = ask(holds);
          expect(granted).toBe(today < 6 && used + units <= 9n);
          if (!granted) continue;
          admitted.push({ at: now, payer, units, back: false });
          taken.push(holds);
        }
      }),
    );
  });
});
