import { calendarPeriod } from '../../base/shared/calendar-window.js';

/** Half-open, epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A zone, and from when on it was the account's. */
export interface ZoneSince {
  readonly timeZone: string;
  readonly since: number;
}

/**
 * Pure: the periods of an account from its opening to the one that an instant is in: calendar months on the clocks of its zone, each from
 * the end of the one before. A change of the zone counts from the next period on. All in epoch milliseconds by the tenant's clock.
 *
 * @param zones oldest first; the first one is that of the opening
 */
export function periodsUntil(openedAt: number, zones: readonly ZoneSince[], until: number): readonly Span[] {
  const periods: Span[] = [];
  for (let from = openedAt; from <= until; ) {
    const { timeZone } = zones.findLast(({ since }) => since <= from) ?? zones[0]!;
    const to = calendarPeriod('month', timeZone, from).end;
    periods.push({ from, to });
    from = to;
  }
  return periods;
}
