import fc from 'fast-check';
import { periodsUntil } from './periods.js';

const zones = Intl.supportedValuesOf('timeZone');
const instant = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) });
const DAY = 86_400_000;
const zone = fc.constantFrom(...zones);

/** What the clocks of a zone show: `2026-11-01 00:00:00`. */
function shown(timeZone: string, at: number): string {
  return new Date(at).toLocaleString('sv-SE', { timeZone });
}

describe('periods', () => {
  it('have no gap and no overlap, and end where a month begins on the clocks of the zone', () => {
    fc.assert(
      fc.property(zone, instant, fc.nat(400), (timeZone, openedAt, days) => {
        const until = openedAt + days * DAY;
        const periods = periodsUntil(openedAt, [{ timeZone, since: openedAt }], until);
        expect(periods[0]!.from).toBe(openedAt);
        for (const [index, { from, to }] of periods.entries()) {
          expect(to).toBeGreaterThan(from);
          if (index > 0) expect(from).toBe(periods[index - 1]!.to);
          expect(shown(timeZone, to).slice(8, 10)).toBe('01');
          expect(shown(timeZone, to - 1).slice(0, 7)).not.toBe(shown(timeZone, to).slice(0, 7));
          expect(shown(timeZone, from).slice(0, 7)).toBe(shown(timeZone, to - 1).slice(0, 7));
        }
        const last = periods.at(-1)!;
        expect(last.from <= until && until < last.to).toBe(true);
      }),
    );
  });

  it('are the same however far they are reckoned, and whatever the zone becomes later', () => {
    fc.assert(
      fc.property(zone, zone, instant, fc.nat(200), fc.nat(200), (first, second, openedAt, days, more) => {
        const opening = { timeZone: first, since: openedAt };
        const until = openedAt + days * DAY;
        const short = periodsUntil(openedAt, [opening], until);
        const change = { timeZone: second, since: until + 1 };
        const long = periodsUntil(openedAt, [opening, change], until + more * DAY);
        expect(long.slice(0, short.length)).toEqual(short);
        for (const [index, { from }] of long.entries()) if (index > 0) expect(from).toBe(long[index - 1]!.to);
      }),
    );
  });

  it.each([
    ['a leap year', 'UTC', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00.000Z'],
    ['the clocks going forward', 'Europe/Amsterdam', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00.000Z'],
    ['the clocks going back', 'Europe/Amsterdam', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00.000Z'],
    ['a half-hour zone', 'Asia/Kolkata', '2026-10-31T18:30:00Z', '2026-11-30T18:30:00.000Z'],
  ])('end right in a month of %s', (_what, timeZone, from, to) => {
    const openedAt = Date.parse(from);
    expect(new Date(periodsUntil(openedAt, [{ timeZone, since: openedAt }], openedAt)[0]!.to).toISOString()).toBe(to);
  });

  it('take another zone from the next period on', () => {
    const at = (text: string) => Date.parse(text);
    const opening = { timeZone: 'UTC', since: at('2026-11-10T00:00:00Z') };
    const change = { timeZone: 'America/New_York', since: at('2026-11-20T00:00:00Z') };
    const ends = periodsUntil(opening.since, [opening, change], at('2026-12-15T00:00:00Z')).map(({ to }) => to);
    expect(ends.map((to) => new Date(to).toISOString())).toEqual([
      '2026-12-01T00:00:00.000Z',
      '2026-12-01T05:00:00.000Z',
      '2027-01-01T05:00:00.000Z',
    ]);
  });
});
