import fc from 'fast-check';
import { amountOf } from '../../../test/support/priced.js';
import { parseTariff } from './check-tariff.js';
import { listPriceInstants } from './list-price.js';
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
