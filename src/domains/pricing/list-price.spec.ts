import fc from 'fast-check';
import { amountOf, described } from '../../../test/support/priced.js';
import { parseTariff } from './check-tariff.js';
import { listPrice, listPriceInstants } from './list-price.js';
import type { TariffRules } from './tariff.schemas.js';

const office: TariffRules = {
  charges: [{ model: 'flat', amount: '1000' }],
  modifiers: [
    {
      kind: 'time_of_day',
      timeZone: 'Europe/Amsterdam',
      windows: [
        { from: '08:00', to: '18:00', permille: 1500 },
        { from: '18:00', to: '18:05', permille: 1200 },
      ],
    },
  ],
};
const priceAt = (at: number) => amountOf(office, { at: new Date(at).toISOString() });
const pricesWithin = (from: number, to: number) => listPriceInstants(parseTariff(office), from, to).map(priceAt);

describe('the list prices of a while', () => {
  it('are one where nothing depends on time', () => {
    const flat = parseTariff({ charges: [{ model: 'flat', amount: '1' }] });
    expect(listPriceInstants(flat, 0, 3_600_000)).toEqual([3_600_000]);
  });

  it('are all that were asked, newest first', () => {
    const at = (time: string) => Date.parse(`2026-01-15T${time}Z`);
    expect(pricesWithin(at('16:50:00'), at('17:10:00'))).toEqual([1000n, 1200n, 1500n]);
    expect(pricesWithin(at('17:04:59'), at('17:05:00'))).toEqual([1000n, 1200n]);
    expect(pricesWithin(at('17:05:00'), at('17:05:30'))).toEqual([1000n]);
  });

  it('are the price of every moment between, and no other', () => {
    const start = Date.parse('2026-10-24T12:00:00Z');
    fc.assert(
      fc.property(fc.nat(2 * 86_400_000), fc.nat(3_600_000), fc.nat(1000), (offset, length, share) => {
        const [from, to] = [start + offset, start + offset + length];
        const prices = pricesWithin(from, to);
        expect(prices).toContain(priceAt(from + Math.floor((length * share) / 1000)));
        expect(new Set(prices).size).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe('the list price of usage that nobody knows', () => {
  const quantity = {
    source: 'field' as const,
    field: { in: 'query' as const, name: 'n' },
    default: 0,
    maximum: 1_000_000,
  };
  const listOf = (rules: TariffRules, n: number) =>
    listPrice(parseTariff(rules), described({ query: `?n=${n}` })).amount;
  const over = (charge: object, rest: Partial<TariffRules> = {}): TariffRules => ({
    charges: [{ ...charge, quantity, over: 'period' } as TariffRules['charges'][number]],
    period: 'month',
    minimum: '0',
    ...rest,
  });

  it('gives no included units and no low first tier to callers without a name', () => {
    expect(listOf(over({ model: 'per_unit', amount: '5', per: 1, included: 100 }), 10)).toBe(50n);
    const rising = [{ upTo: 100, amount: '1' }, { upTo: 200, amount: '9' }, { amount: '4' }];
    expect(listOf(over({ model: 'graduated', tiers: rising }), 10)).toBe(90n);
  });

  it('is that of the first unit where prices fall', () => {
    const falling = [{ upTo: 100, amount: '9' }, { amount: '4' }];
    expect(listOf(over({ model: 'graduated', tiers: falling }), 10)).toBe(90n);
    const tiers = [{ upTo: 3, permille: 1000 }, { permille: 500 }];
    const discount = over({ model: 'per_unit', amount: '5', per: 1 }, { modifiers: [{ kind: 'volume', tiers }] });
    expect(listOf(discount, 10)).toBe(50n);
  });

  it('is no less than that of any usage, where nothing is rounded', () => {
    const amount = fc.nat(1_000).map(String);
    const tiers = fc
      .tuple(
        fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 4 }),
        fc.array(amount, { minLength: 5, maxLength: 5 }),
      )
      .map(([ends, amounts]) => {
        const rising = [...ends].sort((a, b) => a - b);
        return [
          ...rising.map((upTo, index) => ({ upTo, amount: amounts[index]!, flat: amounts[index + 1]! })),
          { amount: amounts[rising.length]! },
        ];
      });
    const charge = fc.oneof(
      fc.record({ model: fc.constant('per_unit'), amount, per: fc.constant(1), included: fc.nat(200) }),
      fc.record({ model: fc.constant('graduated'), tiers, included: fc.nat(200) }),
      fc.record({ model: fc.constant('percentage'), percent: fc.constantFrom('100', '200'), included: fc.nat(200) }),
    );
    const discounts = fc
      .tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 2_000 }))
      .map(([upTo, first, then]) => [
        { kind: 'volume' as const, tiers: [{ upTo, permille: first }, { permille: then }] },
      ]);
    const modifiers = fc.oneof(fc.constant(undefined), discounts);
    fc.assert(
      fc.property(charge, modifiers, fc.nat(400), fc.nat(900), (one, factors, n, used) => {
        const rules = over(one, factors && { modifiers: factors });
        expect(listOf(rules, n)).toBeGreaterThanOrEqual(amountOf(rules, { query: `?n=${n}`, used: BigInt(used) }));
      }),
    );
  });

  it('looks at no usage where the tariff counts nothing over a period', () => {
    const { inputs } = listPrice(parseTariff(office), described({}));
    expect(inputs).not.toHaveProperty('used');
  });
});
