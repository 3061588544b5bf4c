import fc from 'fast-check';
import { readAmount, readDate } from './statement-text.js';

describe('an amount', () => {
  it.each([
    ['1234.56', 'point', 123_456n],
    ['1,234.56', 'point', 123_456n],
    ["1'234.5", 'point', 123_450n],
    ['1.234,56', 'comma', 123_456n],
    ['1 234,56', 'comma', 123_456n],
    ['+12', 'comma', 1200n],
    ['\u221212,00', 'comma', -1200n],
    ['12,50-', 'comma', -1250n],
    ['12.500', 'point', 1250n],
  ] as const)('%s with a %s is %s', (text, mark, minor) => {
    expect(readAmount(text, mark, 2)).toBe(minor);
  });

  it.each([
    ['', 'point'],
    ['12.345', 'point'],
    ['1234,56', 'point'],
    ['1.234.56', 'comma'],
    ['12,34,567', 'point'],
    ['-12-', 'point'],
    ['1e3', 'point'],
    ['$12', 'point'],
    ['.5', 'point'],
  ] as const)('%s with a %s is none', (text, mark) => {
    expect(readAmount(text, mark, 2)).toBeUndefined();
  });

  it('is read as it was written, in whatever form', () => {
    const form = fc.record({
      mark: fc.constantFrom('point' as const, 'comma' as const),
      group: fc.constantFrom('', ' ', "'", 'other'),
      minor: fc.bigInt(-(10n ** 15n), 10n ** 15n),
      digits: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(form, ({ digits, group, mark, minor }) => {
        const figures = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
        const between = group === 'other' ? (mark === 'point' ? ',' : '.') : group;
        const whole = figures.slice(0, figures.length - digits).replace(/\B(?=(\d{3})+$)/g, between);
        const behind = digits === 0 ? '' : (mark === 'point' ? '.' : ',') + figures.slice(-digits);
        expect(readAmount(`${minor < 0n ? '-' : ''}${whole}${behind}`, mark, digits)).toBe(minor);
      }),
    );
  });
});

describe('a day', () => {
  it.each([
    ['2026-12-01', 'YYYY-MM-DD', '2026-12-01'],
    ['20261201', 'YYYYMMDD', '2026-12-01'],
    ['1.12.2026', 'DD.MM.YYYY', '2026-12-01'],
    ['01/12/2026', 'DD/MM/YYYY', '2026-12-01'],
    ['12/01/2026', 'MM/DD/YYYY', '2026-12-01'],
    ['29.02.2028', 'DD.MM.YYYY', '2028-02-29'],
    ['29.02.2026', 'DD.MM.YYYY', undefined],
    ['12/13/2026', 'DD/MM/YYYY', undefined],
    ['01.12.26', 'DD.MM.YYYY', undefined],
    ['0001-01-01', 'YYYY-MM-DD', undefined],
  ] as const)('%s as %s is %s', (text, form, day) => {
    expect(readDate(text, form)).toBe(day);
  });
});
