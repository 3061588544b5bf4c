import fc from 'fast-check';
import { halfUp, largestRemainder, parseExact, subtractDecimals, sum } from './exact.js';
import { invoiceContent, type MeterUsed, type RequestsUsed } from './invoice-content.js';
import { meterPrice } from './meter-price.js';
import type { MeterCharge } from './settings.js';

const period = { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' };
const fraction = fc.record({
  numerator: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  denominator: fc.bigInt({ min: 1n, max: 10n ** 9n }),
});
const requests = fc
  .record({ route: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.nat(5), count: fc.nat(99), charged: fc.nat() })
  .map(({ charged, count, route, version }): RequestsUsed => {
    return {
      period,
      route,
      tariff: { id: route, version },
      count,
      charged: `${charged}`,
      leaves: Buffer.alloc(32, count),
    };
  });
const decimal = fc.tuple(fc.nat(5_000), fc.nat(999_999)).map(([units, digits]) => `${units}.${digits}`);
const tiers = [{ upTo: 100, amount: '7', flat: '3' }, { upTo: 1000, amount: '5', per: 3 }, { amount: '2' }];
const charge = fc.constantFrom<MeterCharge>(
  { model: 'per_unit', amount: '7', per: 3, prorated: true, included: 10 },
  { model: 'per_unit', amount: '7', per: 3 },
  { model: 'package', amount: '1000', per: 100 },
  { model: 'graduated', tiers, prorated: true },
  { model: 'volume', tiers, prorated: true, minimum: '50' },
  { model: 'percentage', percent: '2.9', maximum: '90' },
  {
    model: 'graduated_percentage',
    tiers: [
      { upTo: 100, percent: '3' },
      { percent: '1.5', flat: '9' },
    ],
  },
  { model: 'flat', amount: '999' },
);
const usage = (used: Pick<MeterUsed, 'before' | 'now'>, meter: string, priced: MeterCharge): MeterUsed => ({
  ...{ period, meter, unit: 'token', price: { of: 'meter', version: 1, charge: priced }, events: 1 },
  ...{ leaves: Buffer.alloc(32, 7), ...used },
});
const meters = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom('m', 'n', 'o'), decimal, decimal, charge)
    .map(([m, before, now, c]) => usage({ before, now }, m, c)),
  { selector: ({ meter }) => meter },
);
const all = fc.record({
  requests: fc.uniqueArray(requests, { selector: ({ route, tariff }) => `${route} ${tariff.version}` }),
  meters,
  rates: fc.constantFrom(
    [],
    [{ name: 'VAT', percent: '21' }],
    [
      { name: 'A', percent: '8.875' },
      { name: 'B', percent: '1' },
    ],
  ),
  scale: fc.constantFrom(1n, 10_000n, 10n ** 16n),
});

describe('the content of an invoice', () => {
  it('sums: lines to the subtotal, the exact sum rounded once, and the residue is what that added', () => {
    fc.assert(
      fc.property(all, (used) => {
        const { lines, residue, subtotal, taxes, total } = invoiceContent(used);
        const exact = sum(lines.map((line) => parseExact(line.exact)));
        expect(lines.reduce((rest, { amount }) => rest - BigInt(amount), BigInt(subtotal))).toBe(0n);
        expect(BigInt(subtotal)).toBe(halfUp({ ...exact, denominator: exact.denominator * used.scale }));
        expect(sum([exact, parseExact(residue)])).toEqual({
          numerator: BigInt(subtotal) * used.scale,
          denominator: 1n,
        });
        expect(taxes.reduce((rest, { amount }) => rest - BigInt(amount), BigInt(total))).toBe(BigInt(subtotal));
      }),
    );
  });

  it('is the same in whatever order it is put together', () => {
    fc.assert(
      fc.property(all, (used) => {
        const other = { ...used, requests: [...used.requests].reverse(), meters: [...used.meters].reverse() };
        expect(JSON.stringify(invoiceContent(other))).toBe(JSON.stringify(invoiceContent(used)));
      }),
    );
  });

  it('of usage is the price of the total, however many invoices it is cut into', () => {
    fc.assert(
      fc.property(charge, fc.array(decimal, { minLength: 1 }), (priced, totals) => {
        const lines = totals.map((now, index) => {
          const before = totals[index - 1] ?? '0';
          return invoiceContent({ requests: [], meters: [usage({ before, now }, 'm', priced)], rates: [], scale: 1n })
            .lines[0]!;
        });
        expect(sum(lines.map((line) => parseExact(line.exact)))).toEqual(sum([meterPrice(priced, totals.at(-1)!)]));
      }),
    );
  });
});

describe('the largest remainder', () => {
  it('takes no line further than one from its exact amount', () => {
    fc.assert(
      fc.property(fc.array(fraction), fc.bigInt({ min: 1n, max: 10n ** 6n }), (amounts, scale) => {
        for (const [index, share] of largestRemainder(amounts, scale).entries()) {
          const { denominator, numerator } = amounts[index]!;
          const off = share * scale * denominator - numerator;
          expect(off > -scale * denominator && off <= scale * denominator).toBe(true);
        }
      }),
    );
  });

  it('goes to those that lost most', () => {
    const thirds = [1n, 2n, 3n].map((numerator) => ({ numerator, denominator: 3n }));
    expect(largestRemainder(thirds, 1n)).toEqual([0n, 1n, 1n]);
  });
});

describe('a price of usage', () => {
  it.each<[MeterCharge, string, string]>([
    [{ model: 'per_unit', amount: '3', per: 1000, prorated: true }, '1000.5', '6003/2000'],
    [{ model: 'per_unit', amount: '3', per: 1000 }, '1000.5', '6'],
    [{ model: 'graduated', tiers: [{ upTo: 10, amount: '10' }, { amount: '8' }] }, '10.5', '108'],
    [{ model: 'volume', tiers: [{ upTo: 10, amount: '10' }, { amount: '8' }], prorated: true }, '10.5', '84'],
    [{ model: 'percentage', percent: '2.9' }, '100', '29/10'],
    [{ model: 'flat', amount: '5' }, '0', '0'],
  ])('%j of %s', (priced, total, exact) => {
    const { denominator, numerator } = sum([meterPrice(priced, total)]);
    expect(denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`).toBe(exact);
  });

  it('takes decimals from each other without losing a digit', () => {
    expect(subtractDecimals('1.000000000000000001', '2')).toBe('-0.999999999999999999');
    expect([subtractDecimals('10', '3'), subtractDecimals('1.50', '0.5'), subtractDecimals('2', '2.0')]).toEqual([
      '7',
      '1',
      '0',
    ]);
  });
});
