import { amountOf } from '../../../../test/support/priced.js';
import type { TariffRules } from '../tariff.schemas.js';

// What other billing systems say their own models cost: numbers of their documentation and tests, in our smallest unit.

type Charge = TariffRules['charges'][number];

/** Prices of so many units of one request, each unit a byte of the body or the value that it states. */
function pricesOf(charge: object, units: readonly number[]): readonly number[] {
  const field = { in: 'query', name: 'n' };
  const quantity = { source: 'field', field, default: 0, maximum: 1_000_000_000 };
  const rules = { charges: [{ quantity, ...charge } as Charge], minimum: '0' };
  return units.map((n) => Number(amountOf(rules, { query: `?n=${n}` })));
}

describe('Stripe: tiered pricing, the fonts of Typographic (docs.stripe.com/subscriptions/pricing-models/tiered-pricing)', () => {
  // Dollars in cents.
  const tiers = [{ upTo: 5, amount: '700' }, { upTo: 10, amount: '650' }, { amount: '600' }];

  it('volume', () => {
    expect(pricesOf({ model: 'volume', tiers }, [1, 5, 6, 20, 25])).toEqual([700, 3500, 3900, 12000, 15000]);
  });

  it('graduated, by the rule given there: 5 at 7, the next 5 at 6.50, all others at 6 dollars', () => {
    expect(pricesOf({ model: 'graduated', tiers }, [1, 5, 6, 20, 25])).toEqual([700, 3500, 4150, 12750, 15750]);
  });
});

describe('Lago: charge models (spec/services/charges/charge_models of getlago/lago-api)', () => {
  it('graduated, with a flat amount for each tier', () => {
    const tiers = [
      { upTo: 10, amount: '10', flat: '2' },
      { amount: '5', flat: '3' },
    ];
    expect(pricesOf({ model: 'graduated', tiers }, [0, 1, 10, 11, 12])).toEqual([0, 12, 102, 110, 115]);
  });

  it('volume, with a flat amount for each tier', () => {
    // Tenths: the last tier there costs 0.5 each.
    const tiers = [
      { upTo: 100, amount: '20', flat: '100' },
      { upTo: 200, amount: '10', flat: '0' },
      { amount: '5', flat: '500' },
    ];
    const prices = [0, 120, 2100, 1010, 2000, 2000];
    expect(pricesOf({ model: 'volume', tiers }, [0, 1, 100, 101, 200, 300])).toEqual(prices);
  });

  it('graduated percentage, with a flat amount for each tier', () => {
    // In cents of a cent, so that one unit at 1 % is whole.
    const inHundredths = { source: 'field', field: { in: 'query', name: 'n' }, default: 0, maximum: 1e9, decimals: 2 };
    const tiers = [
      { upTo: 1_000, percent: '1', flat: '20000' },
      { upTo: 2_000, percent: '2', flat: '30000' },
      { percent: '3', flat: '40000' },
    ];
    const prices = [0, 20001, 20010, 50012, 50014, 90033];
    expect(pricesOf({ model: 'graduated_percentage', quantity: inHundredths, tiers }, [0, 1, 10, 11, 12, 21])).toEqual(
      prices,
    );
  });

  it('package, with and without free units', () => {
    const charge = { model: 'package', amount: '100', per: 10 };
    expect(pricesOf(charge, [121])).toEqual([1300]);
    expect(pricesOf({ ...charge, included: 10 }, [121])).toEqual([1200]);
  });

  it('package of the guide: 5 dollars per 100 units, the first 100 free (getlago.com/docs)', () => {
    expect(pricesOf({ model: 'package', amount: '5', per: 100, included: 100 }, [100, 101, 200, 201])).toEqual([
      0, 5, 5, 10,
    ]);
  });

  it('graduated percentage of the guide: three transactions of one period (getlago.com/docs)', () => {
    // 500, 550 and 4,000 dollars cost 205, 306 and 80: here in cents.
    const quantity = { source: 'field', field: { in: 'query', name: 'n' }, default: 0, maximum: 1e9, decimals: 2 };
    const tiers = [
      { upTo: 100_000, percent: '1', flat: '20000' },
      { upTo: 1_000_000, percent: '2', flat: '30000' },
      { percent: '3', flat: '40000' },
    ];
    const charge = { model: 'graduated_percentage', quantity, tiers, over: 'period' } as Charge;
    const rules: TariffRules = { charges: [charge], period: 'month', minimum: '0' };
    const transactions = [
      [0n, 500],
      [50_000n, 550],
      [105_000n, 4_000],
    ] as const;
    const prices = transactions.map(([used, n]) => amountOf(rules, { used, query: `?n=${n}` }));
    expect(prices).toEqual([20_500n, 30_600n, 8_000n]);
  });
});

describe('OpenMeter: graduated tiers (TestTieredGraduatedCalculation and TestTieredPriceCalculator)', () => {
  it('totals. Without usage nothing is charged here, where OpenMeter charges the first flat amount', () => {
    const tiers = [
      { upTo: 5, amount: '0', flat: '100' },
      { upTo: 10, amount: '0', flat: '50' },
      { upTo: 15, amount: '10' },
      { amount: '5' },
    ];
    expect(pricesOf({ model: 'graduated', tiers }, [0, 3, 5, 7, 12, 22])).toEqual([0, 100, 100, 150, 170, 235]);
  });

  it('what is added to a period that has begun', () => {
    const tiers = [
      { upTo: 5, amount: '0', flat: '100' },
      { upTo: 10, amount: '0', flat: '50' },
      { upTo: 15, amount: '5' },
      { amount: '1' },
    ];
    const field = { in: 'query' as const, name: 'n' };
    const quantity = { source: 'field' as const, field, default: 0, maximum: 100 };
    const charges: Charge[] = [{ model: 'graduated', quantity, tiers, over: 'period' }];
    const rules: TariffRules = { charges, period: 'month', minimum: '0' };
    const added = (used: bigint, n: number) => amountOf(rules, { used, query: `?n=${n}` });
    expect([added(7n, 1), added(0n, 22), added(12n, 10)]).toEqual([0n, 182n, 22n]);
  });
});

describe('Zuplo, whose metering is that of OpenMeter (zuplo.com/docs/articles/monetization/pricing-models)', () => {
  const tiers = [{ upTo: 1_000, amount: '10' }, { upTo: 10_000, amount: '5' }, { amount: '1' }];

  it('graduated and volume, 15,000 units', () => {
    expect(pricesOf({ model: 'graduated', tiers }, [15_000])).toEqual([60_000]);
    expect(pricesOf({ model: 'volume', tiers }, [15_000])).toEqual([15_000]);
  });
});
