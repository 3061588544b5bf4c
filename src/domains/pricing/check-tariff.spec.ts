import { checkTariff, parseTariff } from './check-tariff.js';
import type { TariffRules } from './tariff.schemas.js';

const perByte = (amount: string, rest: Partial<TariffRules> = {}): TariffRules => ({
  charges: [{ model: 'per_unit', quantity: { source: 'request_bytes' }, amount, per: 1 }],
  minimum: '0',
  ...rest,
});
const tokens = {
  model: 'per_unit',
  quantity: { source: 'text_tokens', pointer: '/prompt', charactersPerToken: 4 },
  amount: '1',
  per: 1,
};

describe('checkTariff', () => {
  const flat = (amount: unknown, rest = {}) => ({ charges: [{ model: 'flat', amount, ...rest }] });
  const one = { source: 'declared' as const, units: 1 };
  const tiered = (tiers: object[], rest = {}) => ({ charges: [{ model: 'graduated', quantity: one, tiers, ...rest }] });
  const percentage = (percent: unknown, rest = {}) => ({
    charges: [
      {
        model: 'percentage',
        percent,
        quantity: { source: 'field', field: { in: 'query', name: 'v' }, default: 0, maximum: 100, ...rest },
      },
    ],
    minimum: '0',
  });
  const classes = { kind: 'class', by: { in: 'query', name: 'q' }, classes: [{ id: 'a', permille: 1000 }] };
  const slow = { kind: 'priority', permille: [1, 1, 1, 1, 1, 1, 1, 999] };

  it.each([
    ['a fraction of a unit', flat('0.5'), '/charges/0/amount'],
    ['a number', flat(5), '/charges/0/amount'],
    ['a negative amount', flat('-1'), '/charges/0/amount'],
    ['hexadecimal', flat('0x10'), '/charges/0/amount'],
    ['more than a token can hold', flat('9'.repeat(78)), '/charges/0/amount'],
    ['an unknown model', { charges: [{ model: 'free' }] }, '/charges/0/model'],
    ['a misspelled rule', { ...flat('1'), minimun: '1' }, ''],
    ['no charge at all', { charges: [] }, '/charges'],
    ['packages of nothing', { ...perByte('1'), charges: [{ ...perByte('1').charges[0], per: 0 }] }, '/charges/0/per'],
    [
      'seven priorities',
      { ...flat('1'), modifiers: [{ kind: 'priority', permille: [1, 1, 1, 1, 1, 1, 1] }] },
      '/modifiers/0/permille',
    ],
    [
      'a priority for nothing',
      { ...flat('1'), modifiers: [{ kind: 'priority', permille: [0, 1, 1, 1, 1, 1, 1, 1] }] },
      '/modifiers/0/permille/0',
    ],
    [
      'a pointer that is none',
      { charges: [{ ...tokens, quantity: { ...tokens.quantity, pointer: 'prompt' } }] },
      '/charges/0/quantity/pointer',
    ],
    ['a minimum above the maximum', { ...flat('1'), minimum: '3', maximum: '2' }, '/minimum'],
    ['bounds of a charge in the wrong order', flat('1', { minimum: '3', maximum: '2' }), '/charges/0/minimum'],
    [
      'tiers that do not rise',
      tiered([{ upTo: 5, amount: '1' }, { upTo: 5, amount: '2' }, { amount: '1' }]),
      '/charges/0/tiers/1/upTo',
    ],
    ['tiers with an end', tiered([{ upTo: 5, amount: '1' }]), '/charges/0/tiers/0/upTo'],
    ['tiers without an end before the last', tiered([{ amount: '1' }, { amount: '2' }]), '/charges/0/tiers/0/upTo'],
    ['no tiers', tiered([]), '/charges/0/tiers'],
    ['a percentage as a number', percentage(2.9), '/charges/0/percent'],
    ['a negative percentage', percentage('-1'), '/charges/0/percent'],
    ['a default above the maximum', percentage('1', { default: 9, maximum: 8 }), '/charges/0/quantity/default'],
    [
      'a dynamic price without a bound',
      { charges: [{ model: 'dynamic', price: one, minimum: '1' }] },
      '/charges/0/maximum',
    ],
    [
      'a surge that falls',
      { ...flat('1'), modifiers: [{ kind: 'load', from: 0, to: 10, permille: 900 }] },
      '/modifiers/0/permille',
    ],
    [
      'a surge that ends before it begins',
      { ...flat('1'), modifiers: [{ kind: 'load', from: 10, to: 10, permille: 2000 }] },
      '/modifiers/0/to',
    ],
    ['two kinds of classes', { ...flat('1'), modifiers: [classes, classes] }, '/modifiers/1'],
    [
      'two classes of one name',
      { ...flat('1'), modifiers: [{ ...classes, classes: [...classes.classes, ...classes.classes] }] },
      '/modifiers/0/classes/1/id',
    ],
    ['a rule over a period that is not named', tiered([{ amount: '1' }], { over: 'period' }), '/period'],
    [
      'a discount over a period that is not named',
      { ...flat('1'), modifiers: [{ kind: 'volume', tiers: [{ permille: 1000 }] }] },
      '/period',
    ],
    [
      'two quantities counted over one period',
      {
        charges: [tiered([{ amount: '1' }], { over: 'period' }).charges[0], perByte('1').charges[0]],
        period: 'day',
        minimum: '0',
      },
      '/charges/0/over',
    ],
    ['included units that make some requests free', tiered([{ amount: '1' }], { included: 1 }), '/minimum'],
    [
      'a package that has been paid for',
      { charges: [{ model: 'package', amount: '9', per: 10, quantity: one, over: 'period' }], period: 'day' },
      '/minimum',
    ],
    [
      'a volume price over the period, which catches up for nothing',
      { charges: [{ model: 'volume', tiers: [{ amount: '1' }], quantity: one, over: 'period' }], period: 'day' },
      '/minimum',
    ],
    [
      'a price under a condition alone',
      flat('1', { when: { is: 'present', field: { in: 'query', name: 'q' } } }),
      '/minimum',
    ],
    ['requests free by accident', perByte('1', { minimum: undefined }), '/minimum'],
    ['a discount below one unit', { ...flat('5'), modifiers: [slow] }, '/modifiers'],
  ])('refuses %s and names the field', (_, rules, field) => {
    expect(checkTariff(rules).map((error) => error.field)).toEqual([field]);
    expect(() => parseTariff(rules)).toThrow(`tariff${field}: `);
  });

  it.each([
    ['a price of 0 that says so', flat('0')],
    ['requests free on purpose', perByte('1')],
    ['a discount down to one unit', { ...flat('1000'), modifiers: [slow] }],
    [
      'a rate over the period that every request pays',
      { ...tiered([{ amount: '1' }], { over: 'period' }), period: 'day' },
    ],
    [
      'a maximum of the response, which is paid in advance',
      { charges: [{ ...perByte('1').charges[0], quantity: { source: 'response_seconds', maximum: 9 } }] },
    ],
    ['a dynamic price with a least', { charges: [{ model: 'dynamic', price: one, minimum: '1', maximum: '2' }] }],
    ['a discount held by a minimum', { ...flat('5'), modifiers: [slow], minimum: '1' }],
  ])('accepts %s', (_, rules) => {
    expect(checkTariff(rules)).toEqual([]);
  });
});
