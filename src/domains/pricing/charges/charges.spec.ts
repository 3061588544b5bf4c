import fc from 'fast-check';
import { amountOf, priceOf } from '../../../../test/support/priced.js';
import { whole } from '../fraction.js';
import type { TariffRules } from '../tariff.schemas.js';

type Charge = TariffRules['charges'][number];

/** Units are what the query states as `n`. */
const quantity = {
  source: 'field' as const,
  field: { in: 'query' as const, name: 'n' },
  default: 0,
  maximum: 1_000_000_000,
};
const units = fc.nat(5_000);
const amount = fc.nat(10_000).map(String);
const per = fc.integer({ min: 1, max: 50 });
const included = fc.nat(300);
const percent = fc.tuple(fc.nat(120), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`);
const flat = fc.option(amount, { nil: undefined });

/** Ends that rise, then the tier without end. */
const tiersOf = <T extends object>(tier: fc.Arbitrary<T>) =>
  fc
    .tuple(
      fc.uniqueArray(fc.integer({ min: 1, max: 3_000 }), { maxLength: 4 }),
      fc.array(tier, { minLength: 5, maxLength: 5 }),
    )
    .map(([ends, tiers]) => {
      const rising = [...ends].sort((a, b) => a - b);
      return [...rising.map((upTo, index) => ({ ...tiers[index]!, upTo })), tiers[rising.length]!];
    });

const unitTiers = tiersOf(fc.record({ amount, per, flat }));
const percentTiers = tiersOf(fc.record({ percent, flat }));
const prorated = fc.boolean();

/** Every model that counts units. */
const counted = fc.oneof(
  fc.record({ model: fc.constant('per_unit' as const), amount, per, included, prorated }),
  fc.record({ model: fc.constant('package' as const), amount, per: fc.integer({ min: 2, max: 50 }), included }),
  fc.record({ model: fc.constant('graduated' as const), tiers: unitTiers, included, prorated }),
  fc.record({ model: fc.constant('volume' as const), tiers: unitTiers, included, prorated }),
  fc.record({ model: fc.constant('percentage' as const), percent, included }),
  fc.record({ model: fc.constant('graduated_percentage' as const), tiers: percentTiers, included }),
);

const over = (scope: 'request' | 'period', charge: object, rest: Partial<TariffRules> = {}): TariffRules => ({
  charges: [{ ...charge, quantity, over: scope } as Charge],
  period: 'month',
  minimum: '0',
  ...rest,
});
const costs = (rules: TariffRules, n: number, used = 0) => amountOf(rules, { query: `?n=${n}`, used: BigInt(used) });

/** What requests of these sizes cost one after the other. */
function sumOf(rules: TariffRules, requests: readonly number[]): bigint {
  let used = 0;
  return requests.reduce((sum, n) => {
    const cost = costs(rules, n, used);
    used += n;
    return sum + cost;
  }, 0n);
}

describe('over the period', () => {
  it('the sum is the price of the total, however it is cut and in whatever order it comes', () => {
    fc.assert(
      fc.property(counted, fc.array(units, { maxLength: 8 }), fc.nat(), (charge, requests, seed) => {
        const rules = over('period', charge);
        const total = requests.reduce((sum, n) => sum + n, 0);
        const shuffled = requests.map((n, index) => ({ n, key: (seed * (index + 7)) % 101 }));
        shuffled.sort((a, b) => a.key - b.key);
        const once = costs(rules, total);
        expect(sumOf(rules, requests)).toBe(once);
        expect(
          sumOf(
            rules,
            shuffled.map(({ n }) => n),
          ),
        ).toBe(once);
      }),
    );
  });

  it('the total is what one request of it all costs, except where a volume price would fall', () => {
    fc.assert(
      fc.property(counted, units, (charge, n) => {
        const once = costs(over('request', charge), n);
        const total = costs(over('period', charge), n);
        if (charge.model === 'volume') expect(total).toBeGreaterThanOrEqual(once);
        else expect(total).toBe(once);
      }),
    );
  });

  it('no request is below zero, and none that asks for more is cheaper', () => {
    fc.assert(
      fc.property(counted, units, units, units, (charge, used, n, more) => {
        const rules = over('period', charge);
        expect(costs(rules, n, used)).toBeGreaterThanOrEqual(0n);
        expect(costs(rules, n + more, used)).toBeGreaterThanOrEqual(costs(rules, n, used));
      }),
    );
  });

  it('included units are those of the period, not of each request', () => {
    const rules = over('period', { model: 'per_unit', amount: '5', per: 1, included: 10 });
    expect([costs(rules, 8), costs(rules, 8, 8), costs(rules, 8, 16)]).toEqual([0n, 30n, 40n]);
  });

  it('a volume price gives nothing back: units are free until the lower price has caught up', () => {
    const tiers = [{ upTo: 10, amount: '10' }, { amount: '8' }];
    const rules = over('period', { model: 'volume', tiers });
    // 10 units cost 100, 11 cost 88, 12 cost 96, 13 cost 104.
    expect([costs(rules, 10), costs(rules, 1, 10), costs(rules, 1, 11), costs(rules, 1, 12)]).toEqual([
      100n,
      0n,
      0n,
      4n,
    ]);
  });

  it('explains the units of each tier', () => {
    const tiers = [{ upTo: 10, amount: '10' }, { upTo: 20, amount: '8' }, { amount: '6' }];
    const { steps } = priceOf(over('period', { model: 'graduated', tiers }), { query: '?n=15', used: 7n });
    expect(steps).toEqual([
      { field: '/charges/0', rule: 'graduated', units: 15n, used: 7n, tiers: [3n, 10n, 2n], amount: whole(122n) },
    ]);
  });
});

describe('tiers', () => {
  const model = fc.constantFrom('graduated' as const, 'volume' as const);

  it('have no gap and no overlap: each unit is in one tier, the last unit of a tier still in it', () => {
    fc.assert(
      fc.property(model, unitTiers, (which, tiers) => {
        const edges = tiers.flatMap((tier) => ('upTo' in tier ? [tier.upTo as number, (tier.upTo as number) + 1] : []));
        for (const n of [1, ...edges]) {
          const [step] = priceOf(over('request', { model: which, tiers }), { query: `?n=${n}` }).steps;
          const shares = (step as { tiers?: readonly bigint[] }).tiers!;
          expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(BigInt(n));
          const last = tiers.findIndex((tier) => !('upTo' in tier) || n <= (tier.upTo as number));
          expect(shares.findLastIndex((share) => share > 0n)).toBe(last);
        }
      }),
    );
  });

  it('of one price are that price', () => {
    fc.assert(
      fc.property(amount, units, fc.integer({ min: 1, max: 3_000 }), (unit, n, edge) => {
        const tiers = [{ upTo: edge, amount: unit }, { amount: unit }];
        const simple = costs(over('request', { model: 'per_unit', amount: unit, per: 1 }), n);
        expect(costs(over('request', { model: 'graduated', tiers }), n)).toBe(simple);
        expect(costs(over('request', { model: 'volume', tiers }), n)).toBe(simple);
      }),
    );
  });
});

describe('a charge', () => {
  const rising = fc.oneof(
    ...(['per_unit', 'package', 'graduated', 'percentage', 'graduated_percentage'] as const).map((wanted) =>
      counted.filter(({ model }) => model === wanted),
    ),
  );

  it('never falls as units rise, volume prices apart', () => {
    fc.assert(
      fc.property(rising, units, units, (charge, n, more) => {
        expect(costs(over('request', charge), n + more)).toBeGreaterThanOrEqual(costs(over('request', charge), n));
      }),
    );
  });

  it('keeps its own bounds', () => {
    fc.assert(
      fc.property(counted, units, fc.nat(500), fc.nat(5_000), (charge, n, minimum, more) => {
        const free = costs(over('request', charge), n);
        const maximum = minimum + more;
        const bounded = costs(over('request', { ...charge, minimum: `${minimum}`, maximum: `${maximum}` }), n);
        const within = free < BigInt(minimum) ? BigInt(minimum) : free > BigInt(maximum) ? BigInt(maximum) : free;
        expect(bounded).toBe(within);
      }),
    );
  });

  it('costs nothing for its included units, and then as much as without them', () => {
    fc.assert(
      fc.property(counted, units, included, (charge, n, free) => {
        const rules = over('request', { ...charge, included: free });
        expect(costs(rules, free)).toBe(0n);
        expect(costs(rules, free + n)).toBe(costs(over('request', { ...charge, included: 0 }), n));
      }),
    );
  });

  it('is summed exactly, and rounded up once', () => {
    const third = { model: 'per_unit', amount: '1', per: 3, prorated: true, quantity } as const;
    const rules = (charges: Charge[]): TariffRules => ({ charges, minimum: '0' });
    const threeTimes = rules([third, third, third]);
    expect(amountOf(threeTimes, { query: '?n=1' })).toBe(1n);
    expect(amountOf(rules([third]), { query: '?n=4' })).toBe(2n);
    const fee = { model: 'percentage', percent: '2.9', quantity } as const;
    expect(amountOf(rules([fee]), { query: '?n=1000' })).toBe(29n);
    expect(amountOf(rules([fee]), { query: '?n=1001' })).toBe(30n);
  });

  it('over one request does not look at what the payer used', () => {
    expect(
      priceOf(over('request', { model: 'per_unit', amount: '1', per: 1 }), { used: 9n }).inputs,
    ).not.toHaveProperty('used');
  });
});

describe('a dynamic price', () => {
  const dynamic = (price: object): TariffRules => ({
    charges: [{ model: 'dynamic', price, minimum: '50', maximum: '5000' } as Charge],
  });
  const byCaller = dynamic({ source: 'field', field: { in: 'body', pointer: '/bid' }, default: 100, maximum: 5000 });
  const byUpstream = dynamic({
    source: 'response_field',
    field: { in: 'header', name: 'x-cost' },
    maximum: 5000,
  });

  it.each([
    ['{"bid":700}', 700n],
    ['{"bid":1}', 50n],
    ['{"bid":70000}', 5000n],
    ['{}', 100n],
    ['{"bid":-5}', 5000n],
    ['not json', 5000n],
  ])('stated by the caller in %s is bounded', (body, expected) => {
    expect(amountOf(byCaller, { body })).toBe(expected);
  });

  it('of the upstream is its maximum until the answer is there', () => {
    expect(amountOf(byUpstream)).toBe(5000n);
    expect(amountOf(byUpstream, { response: { headers: { 'x-cost': '321' } } })).toBe(321n);
    expect(amountOf(byUpstream, { response: { headers: { 'x-cost': '1' } } })).toBe(50n);
    expect(amountOf(byUpstream, { response: {} })).toBe(5000n);
  });
});
