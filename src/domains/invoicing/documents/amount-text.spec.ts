import fc from 'fast-check';
import { amountText, countText, dayText, periodText, quantityText } from './amount-text.js';

describe('amountText', () => {
  it.each([
    [0n, 2, '0.00'],
    [5n, 2, '0.05'],
    [-5n, 2, '\u22120.05'],
    [123_456n, 2, '1,234.56'],
    [100_000_000n, 2, '1,000,000.00'],
    [1_234_567n, 0, '1,234,567'],
    [999n, 0, '999'],
    [-1_234_567n, 3, '\u22121,234.567'],
  ])('%s of %i digits is %s', (minor, digits, text) => {
    expect(amountText(minor, digits)).toBe(text);
  });

  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 40n), 10n ** 40n), fc.integer({ min: 0, max: 4 }), (minor, digits) => {
        const figures = amountText(minor, digits).replace('\u2212', '-').replace(/[,.]/g, '');
        expect(BigInt(figures)).toBe(minor);
      }),
    );
  });
});

describe('quantityText', () => {
  it.each([
    ['0', '0'],
    ['1234567.50', '1,234,567.5'],
    ['-1000', '\u22121,000'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['12.000', '12'],
  ])('%s is %s', (decimal, text) => {
    expect(quantityText(decimal)).toBe(text);
  });
});

describe('countText', () => {
  it.each([
    ['1', 'request', '1 request'],
    ['4', 'request', '4 requests'],
    ['0', 'event', '0 events'],
    ['1.5', 'token', '1.5 tokens'],
    ['2', 'kWh', '2 kWh'],
    ['2', 'tokens', '2 tokens'],
    ['2', '', '2'],
  ])('%s of %s is %s', (decimal, unit, text) => {
    expect(countText(decimal, unit)).toBe(text);
  });
});

describe('days and periods', () => {
  it('are those of the zone', () => {
    expect(dayText('2026-11-30T23:30:00.000Z', 'UTC')).toBe('30 November 2026');
    expect(dayText('2026-11-30T23:30:00.000Z', 'Europe/Berlin')).toBe('1 December 2026');
    expect(dayText('2026-11-30T23:30:00.000Z', 'America/Los_Angeles')).toBe('30 November 2026');
  });

  it.each([
    ['2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z', 'Europe/Berlin', 'November 2026'],
    ['2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z', 'UTC', 'February 2024'],
    ['2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z', 'UTC', '31 October – 30 November 2026'],
    ['2026-11-01T00:00:00.000Z', '2026-11-15T12:00:00.000Z', 'UTC', '1 – 15 November 2026'],
    ['2026-11-01T00:00:00.000Z', '2026-11-30T12:00:00.000Z', 'UTC', '1 – 30 November 2026'],
    ['2026-11-05T00:00:00.000Z', '2026-11-05T12:00:00.000Z', 'UTC', '5 November 2026'],
    ['2026-12-15T00:00:00.000Z', '2027-01-15T00:00:00.000Z', 'UTC', '15 December 2026 – 14 January 2027'],
  ])('%s to %s in %s is %s', (from, to, zone, text) => {
    expect(periodText({ from, to }, zone)).toBe(text);
  });
});
