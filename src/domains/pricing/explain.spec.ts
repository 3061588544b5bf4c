import { priceOf } from '../../../test/support/priced.js';
import { explain } from './explain.js';
import type { TariffRules } from './tariff.schemas.js';

const rules: TariffRules = {
  charges: [
    { model: 'flat', amount: '5' },
    { model: 'per_unit', quantity: { source: 'declared', units: 10 }, amount: '1', per: 3, prorated: true },
    {
      model: 'graduated',
      quantity: { source: 'declared', units: 10 },
      tiers: [{ upTo: 8, amount: '2' }, { amount: '1' }],
      over: 'period',
    },
  ],
  modifiers: [{ kind: 'priority', permille: [2000, 1000, 1000, 1000, 1000, 1000, 1000, 500] }],
  maximum: '40',
  period: 'day',
};

describe('explain', () => {
  it('gives every rule, every number and the exact price so far', () => {
    expect(explain(priceOf(rules, { priority: 'u=0', used: 4n }))).toEqual([
      { field: '/charges/0', rule: 'flat', amount: '5', price: '5' },
      { field: '/charges/1', rule: 'per_unit', units: '10', amount: '10/3', price: '25/3' },
      {
        field: '/charges/2',
        rule: 'graduated',
        units: '10',
        used: '4',
        tiers: ['4', '6'],
        amount: '14',
        price: '67/3',
      },
      { field: '/modifiers/0', rule: 'priority', value: '0', permille: '2000', price: '134/3' },
      { field: '/maximum', rule: 'maximum', amount: '40', price: '40' },
    ]);
  });

  it('ends with the price, rounded up once', () => {
    const price = priceOf(rules, { priority: 'u=7' });
    expect(price.amount).toBe(14n);
    expect(explain(price).at(-1)!.price).toBe('79/6');
  });
});
