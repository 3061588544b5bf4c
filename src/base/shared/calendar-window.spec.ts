import fc from 'fast-check';
import { type CalendarUnit, calendarPeriod, calendarUnits } from './calendar-window.js';

const HOUR = 3_600_000;
const ZONES = [
  'UTC',
  'Europe/Amsterdam',
  'America/New_York',
  'America/Santiago', // changes at midnight: some days have none
  'Africa/Cairo',
  'Asia/Kolkata',
  'Australia/Lord_Howe', // half an hour
  'Pacific/Apia',
];
const at = (text: string) => Date.parse(text);
const shown = (unit: CalendarUnit, zone: string, when: string) => {
  const { end, start } = calendarPeriod(unit, zone, at(when));
  return [new Date(start).toISOString(), new Date(end).toISOString(), (end - start) / HOUR];
};

describe('a calendar window', () => {
  it.each<[string, CalendarUnit, string, string, string, string, number]>([
    ['a day', 'day', 'UTC', '2026-11-25T12:00Z', '2026-11-25T00:00:00.000Z', '2026-11-26T00:00:00.000Z', 24],
    [
      'a day elsewhere',
      'day',
      'Asia/Kolkata',
      '2026-11-25T19:00Z',
      '2026-11-25T18:30:00.000Z',
      '2026-11-26T18:30:00.000Z',
      24,
    ],
    [
      'clocks forward',
      'day',
      'Europe/Amsterdam',
      '2026-03-29T12:00Z',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
      23,
    ],
    [
      'clocks back',
      'day',
      'Europe/Amsterdam',
      '2026-10-25T12:00Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
      25,
    ],
    [
      'no midnight',
      'day',
      'America/Santiago',
      '2026-09-06T12:00Z',
      '2026-09-06T04:00:00.000Z',
      '2026-09-07T03:00:00.000Z',
      23,
    ],
    [
      'midnight twice',
      'day',
      'America/Santiago',
      '2026-04-04T12:00Z',
      '2026-04-04T03:00:00.000Z',
      '2026-04-05T04:00:00.000Z',
      25,
    ],
    [
      'a week, from Monday',
      'week',
      'UTC',
      '2026-11-25T12:00Z',
      '2026-11-23T00:00:00.000Z',
      '2026-11-30T00:00:00.000Z',
      168,
    ],
    [
      'a month',
      'month',
      'America/New_York',
      '2026-11-30T23:00Z',
      '2026-11-01T04:00:00.000Z',
      '2026-12-01T05:00:00.000Z',
      721,
    ],
    ['an hour', 'hour', 'Asia/Kolkata', '2026-11-25T12:45Z', '2026-11-25T12:30:00.000Z', '2026-11-25T13:30:00.000Z', 1],
    [
      'a minute',
      'minute',
      'UTC',
      '2026-11-25T12:45:59.999Z',
      '2026-11-25T12:45:00.000Z',
      '2026-11-25T12:46:00.000Z',
      1 / 60,
    ],
  ])('%s', (_what, unit, zone, when, start, end, hours) => {
    expect(shown(unit, zone, when)).toEqual([start, end, hours]);
  });

  it('holds its instant, is the same for each of its instants, and ends where the next begins', () => {
    const instant = fc.integer({ min: at('2020-01-01T00:00Z'), max: at('2035-01-01T00:00Z') });
    const unit = fc.constantFrom(...calendarUnits);
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        unit,
        instant,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (zone, one, when, part) => {
          // Where clocks change by half an hour, an hour may be cut.
          fc.pre(zone !== 'Australia/Lord_Howe' || one !== 'hour');
          const { end, start } = calendarPeriod(one, zone, when);
          expect(start <= when && when < end).toBe(true);
          const within = start + Math.floor((end - 1 - start) * part);
          expect(calendarPeriod(one, zone, within)).toEqual({ start, end });
          expect(calendarPeriod(one, zone, end).start).toBe(end);
          expect(calendarPeriod(one, zone, start - 1).end).toBe(start);
        },
      ),
    );
  });
});
