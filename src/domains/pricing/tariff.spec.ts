import fc from 'fast-check';
import { described, priceOf } from '../../../test/support/priced.js';
import { checkTariff, parseTariff } from './check-tariff.js';
import { whole } from './fraction.js';
import { price } from './tariff.js';
import type { TariffRules } from './tariff.schemas.js';

const request = (body = '', priority?: string) => described({ body, priority });
const amountOf = (rules: TariffRules, body = '', priority?: string) => priceOf(rules, { body, priority }).amount;
const tokens = (plus?: { pointer: string; default: number; maximum: number }): TariffRules => ({
  charges: [
    {
      model: 'per_unit',
      quantity: { source: 'text_tokens', pointer: '/prompt', charactersPerToken: 4, plus },
      amount: '1',
      per: 1,
    },
  ],
  minimum: '0',
});

describe('price', () => {
  it('explains every rule that took part', () => {
    const rules: TariffRules = {
      charges: [
        { model: 'flat', amount: '5' },
        { model: 'per_unit', quantity: { source: 'declared', units: 25 }, amount: '10', per: 10, included: 4 },
      ],
      modifiers: [{ kind: 'priority', permille: [1501, 1, 1, 1000, 1, 1, 1, 1] }],
      minimum: '1',
      maximum: '50',
    };
    expect(price(parseTariff(rules), request('', 'u=0'))).toEqual({
      amount: 50n,
      units: 25n,
      steps: [
        { field: '/charges/0', rule: 'flat', amount: whole(5n) },
        { field: '/charges/1', rule: 'per_unit', units: 25n, packages: 3n, amount: whole(30n) },
        { field: '/modifiers/0', rule: 'priority', value: '0', permille: 1501n },
        { field: '/maximum', rule: 'maximum', amount: 50n },
      ],
      inputs: {},
    });
    expect(amountOf(rules)).toBe(35n);
    expect(amountOf(rules, '', 'u=1')).toBe(1n);
  });

  it.each([
    ['9', 10n],
    ['10', 10n],
    ['12', 12n],
    ['13', 12n],
  ])('keeps %s within its bounds', (amount, bounded) => {
    expect(amountOf({ charges: [{ model: 'flat', amount }], minimum: '10', maximum: '12' })).toBe(bounded);
  });

  it('counts a request as one unit where the tariff counts nothing', () => {
    expect(price(parseTariff({ charges: [{ model: 'flat', amount: '7' }] }), request()).units).toBe(1n);
  });

  it('rounds several modifiers up once, not each', () => {
    const halves = { kind: 'priority' as const, permille: Array<number>(8).fill(500) };
    expect(amountOf({ charges: [{ model: 'flat', amount: '9' }], modifiers: [halves, halves] })).toBe(3n);
    expect(amountOf({ charges: [{ model: 'flat', amount: '5' }], modifiers: [halves, halves] })).toBe(2n);
  });

  it.each([
    ['{"prompt":"12345678"}', 2n],
    ['{"prompt":"123456789"}', 3n],
    // Five characters, ten UTF-16 units, twenty bytes.
    ['{"prompt":"😀😀😀😀😀"}', 2n],
    ['{"other":"12345678"}', 0n],
    ['{"prompt":""}', 0n],
    ['{"prompt":["12345678"]}', 6n],
    ['not json at all!', 4n],
    ['\ud800'.repeat(2), 2n],
  ])('counts the text tokens of %s', (body, units) => {
    expect(price(parseTariff(tokens()), request(body)).units).toBe(units);
  });

  it.each([
    ['{"prompt":"1234"}', 65n],
    ['{"prompt":"1234","max_tokens":null}', 65n],
    ['{"prompt":"1234","max_tokens":10}', 11n],
    ['{"prompt":"1234","max_tokens":0}', 1n],
    ['{"prompt":"1234","max_tokens":1000000}', 101n],
    ['{"prompt":"1234","max_tokens":-1}', 101n],
    ['{"prompt":"1234","max_tokens":1.5}', 101n],
    ['{"prompt":"1234","max_tokens":"10"}', 101n],
    ['1234', 65n - 1n],
    ['nope', 101n],
  ])('adds the ceiling that the caller set: %s', (body, units) => {
    const plus = { pointer: '/max_tokens', default: 64, maximum: 100 };
    expect(price(parseTariff(tokens(plus)), request(body)).units).toBe(units);
  });

  it('survives a body nested as deep as it is long', () => {
    const deep = `{"prompt":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(price(parseTariff(tokens()), request(deep)).units).toBeGreaterThan(20_000n);
  });

  it.each([
    [undefined, 3],
    ['u=0', 0],
    ['u=7, i', 7],
    ['i, u=5;x=1', 5],
    ['u=2, u=6', 6],
    ['u=8', 3],
    ['u=-1', 3],
    ['u=1.5', 3],
    ['u="1"', 3],
    ['u', 3],
    ['u=1,', 3],
    ['U=1', 3],
    ['u=(1)', 3],
    ['u=1 u=2', 3],
    ['', 3],
    ['u=١', 3],
    [`u=1;${'x'.repeat(300)}`, 3],
  ])('reads the urgency of Priority: %s', (priority, urgency) => {
    const permille = [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000];
    const rules: TariffRules = {
      charges: [{ model: 'flat', amount: '1' }],
      modifiers: [{ kind: 'priority', permille }],
    };
    expect(amountOf(rules, '', priority)).toBe(BigInt(urgency + 1));
  });

  const atomic = fc.bigInt({ min: 1n, max: 10n ** 30n });
  const permille = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 8, maxLength: 8 });

  it('is exact: the one-unit-rounded-up rational value', () => {
    fc.assert(
      fc.property(
        atomic,
        atomic,
        permille,
        fc.nat(3000),
        fc.integer({ min: 1, max: 900 }),
        fc.nat(7),
        (flat, unit, factors, bytes, per, u) => {
          const rules: TariffRules = {
            charges: [
              { model: 'flat', amount: `${flat}` },
              { model: 'per_unit', quantity: { source: 'request_bytes' }, amount: `${unit}`, per },
            ],
            modifiers: [{ kind: 'priority', permille: factors }],
            minimum: '0',
          };
          const thousandfold = (flat + BigInt(Math.ceil(bytes / per)) * unit) * BigInt(factors[u]!);
          const amount = amountOf(rules, 'x'.repeat(bytes), `u=${u}`);
          expect(amount * 1000n >= thousandfold && (amount - 1n) * 1000n < thousandfold).toBe(true);
        },
      ),
    );
  });

  it('never falls when bytes, amounts or factors rise, and is never negative', () => {
    const grown = fc.tuple(
      fc.nat(500),
      fc.nat(500),
      atomic,
      fc.bigInt({ min: 0n, max: 10n ** 20n }),
      fc.nat(500),
      permille,
    );
    fc.assert(
      fc.property(grown, ([bytes, more, amount, extra, included, factors]) => {
        const rules = (unit: bigint, factor: readonly number[]): TariffRules => ({
          charges: [{ model: 'per_unit', quantity: { source: 'request_bytes' }, amount: `${unit}`, per: 7, included }],
          modifiers: [{ kind: 'priority', permille: [...factor] }],
          minimum: '0',
        });
        const low = amountOf(rules(amount, factors), 'x'.repeat(bytes));
        expect(low).toBeGreaterThanOrEqual(0n);
        expect(amountOf(rules(amount, factors), 'x'.repeat(bytes + more))).toBeGreaterThanOrEqual(low);
        expect(amountOf(rules(amount + extra, factors), 'x'.repeat(bytes))).toBeGreaterThanOrEqual(low);
        expect(
          amountOf(
            rules(
              amount,
              factors.map((f) => f + 1),
            ),
            'x'.repeat(bytes),
          ),
        ).toBeGreaterThanOrEqual(low);
      }),
    );
  });

  it('never comes to zero unless the tariff says 0', () => {
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.nat(3),
        fc.nat(40),
        fc.nat(20),
        permille,
        fc.string(),
        fc.nat(7),
        (flat, unit, units, included, factors, body, u) => {
          const rules: TariffRules = {
            charges: [
              { model: 'flat', amount: `${flat}` },
              {
                model: 'per_unit',
                quantity: units === 0 ? { source: 'request_bytes' } : { source: 'declared', units },
                amount: `${unit}`,
                per: 3,
                included,
              },
            ],
            modifiers: [{ kind: 'priority', permille: factors }],
          };
          fc.pre(flat + unit > 0 && checkTariff(rules).length === 0);
          expect(amountOf(rules, body, `u=${u}`)).toBeGreaterThan(0n);
        },
      ),
    );
  });
});
