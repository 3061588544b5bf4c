export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

export interface WallTime {
  readonly day: Day;
  /** Minutes since local midnight, 0 to 1439. */
  readonly minute: number;
}

const MINUTE_MS = 60_000;
/** Since 1972 every zone changes its offset at a quarter of an hour of UTC, so one question serves fifteen minutes. */
const SLOT_MINUTES = 15;
const SLOT_MS = SLOT_MINUTES * MINUTE_MS;
/** An IANA name. Offsets such as +01:00 are no zone: they know no daylight saving. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

export function isTimeZone(name: string): boolean {
  if (!ZONE.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  slot: number;
  start: WallTime;
}

const zones = new Map<string, Zone>();

/** What the clocks of an IANA zone show at an instant (epoch milliseconds), daylight saving included. */
export function wallTimeAt(timeZone: string, at: number): WallTime {
  let zone = zones.get(timeZone);
  if (!zone) {
    zone = { format: formatOf(timeZone), slot: Number.NaN, start: { day: 'mon', minute: 0 } };
    zones.set(timeZone, zone);
  }
  const slot = Math.floor(at / SLOT_MS);
  if (zone.slot !== slot) {
    zone.start = read(zone.format, slot * SLOT_MS);
    zone.slot = slot;
  }
  const { day, minute } = zone.start;
  return { day, minute: minute + Math.floor((at - slot * SLOT_MS) / MINUTE_MS) };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
}

function read(format: Intl.DateTimeFormat, at: number): WallTime {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = parts.get('weekday')!.toLowerCase() as Day;
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}
