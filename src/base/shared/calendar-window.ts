export const calendarUnits = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type CalendarUnit = (typeof calendarUnits)[number];

/** Epoch milliseconds, the end excluded. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The last period asked for, of each unit and zone: requests come in order of time. */
const latest = new Map<string, Period>();

/**
 * Pure but for its memory: the minute, hour, day, week (from Monday) or month of a zone's clocks that an instant (epoch
 * milliseconds) is in. Days are as long as the clocks make them: 23 or 25 hours when they change.
 */
export function calendarPeriod(unit: CalendarUnit, timeZone: string, at: number): Period {
  const key = `${unit} ${timeZone}`;
  const known = latest.get(key);
  if (known && known.start <= at && at < known.end) return known;
  const period = unit === 'minute' || unit === 'hour' ? clockPeriod(unit, timeZone, at) : dayPeriod(unit, timeZone, at);
  latest.set(key, period);
  return period;
}

/** Minutes and hours keep their length; a change of the clocks may cut one short. */
function clockPeriod(unit: 'minute' | 'hour', timeZone: string, at: number): Period {
  const length = unit === 'minute' ? MINUTE : HOUR;
  const offset = offsetAt(timeZone, at);
  const start = Math.floor((at + offset) / length) * length - offset;
  return { start, end: start + length };
}

function dayPeriod(unit: 'day' | 'week' | 'month', timeZone: string, at: number): Period {
  const today = new Date(at + offsetAt(timeZone, at));
  const [year, month, day] = [today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate()];
  const sinceMonday = (today.getUTCDay() + 6) % 7;
  const [first, next] = {
    day: [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)],
    week: [Date.UTC(year, month, day - sinceMonday), Date.UTC(year, month, day - sinceMonday + 7)],
    month: [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)],
  }[unit] as [number, number];
  return { start: firstShowing(timeZone, first), end: firstShowing(timeZone, next) };
}

/** The first instant at which the zone's clocks show a time (epoch milliseconds as if it were UTC) or, if they skip it, a later one. */
function firstShowing(timeZone: string, time: number): number {
  const [before, after] = [offsetAt(timeZone, time - DAY), offsetAt(timeZone, time + DAY)];
  const early = time - before;
  if (before === after || offsetAt(timeZone, early) === before) return early;
  let [low, high] = [time - after, early];
  if (offsetAt(timeZone, low) === after) return low;
  // The clocks skip it: the change lies in between.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(timeZone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a zone's clocks are ahead of UTC, in milliseconds. */
function offsetAt(timeZone: string, at: number): number {
  let format = formats.get(timeZone);
  if (!format) {
    const digits = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', second: 'numeric', ...digits });
    formats.set(timeZone, format);
  }
  const shown = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const read = (type: Intl.DateTimeFormatPartTypes) => shown.get(type)!;
  const local = Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
  return local - Math.floor(at / 1000) * 1000;
}
