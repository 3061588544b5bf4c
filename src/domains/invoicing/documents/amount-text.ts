/**
 * How people read amounts, quantities and days. Nothing here asks the machine's locale, and month names are ours: the same
 * invoice is the same bytes whatever the version of the language data that Node comes with.
 */

const MINUS = '\u2212';
const GROUP = /\B(?=(?:\d{3})+$)/g;
const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `-123456n` at 2 digits is `−1,234.56`: always as many digits as the currency has. */
export function amountText(minor: bigint, digits: number): string {
  const sign = minor < 0n ? MINUS : '';
  const figures = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
  const at = figures.length - digits;
  return sign + figures.slice(0, at).replace(GROUP, ',') + (digits === 0 ? '' : `.${figures.slice(at)}`);
}

/** `1234567.50` is `1,234,567.5`: a decimal of any length, with a sign or without. */
export function quantityText(decimal: string): string {
  const negative = decimal.startsWith('-');
  const [whole = '', fraction = ''] = decimal.slice(negative ? 1 : 0).split('.');
  const rest = fraction.replace(/0+$/, '');
  return (negative ? MINUS : '') + whole.replace(GROUP, ',') + (rest === '' ? '' : `.${rest}`);
}

/** Units that have a plural in `s`; others stand as they were told, `kWh` or `tokens`. */
const WORDS = new Set(
  (
    'byte call character credit day event hour image item message minute month page record request row seat second session ' +
    'token unit user word'
  ).split(' '),
);

/** `1 request`, `1,234 requests`, `2.5 kWh`. */
export function countText(decimal: string, unit: string): string {
  const count = quantityText(decimal);
  return `${count} ${WORDS.has(unit) && count !== '1' ? `${unit}s` : unit}`.trim();
}

/** The year, month and day that an instant has in a zone. */
interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** `1 November 2026`, as it is in an IANA zone at that instant. */
export function dayText(instant: string, timeZone: string): string {
  return dayName(dayIn(new Date(instant), timeZone));
}

/** A half-open period as its first and last day: `1 – 30 November 2026`; a whole month by its name. */
export function periodText({ from, to }: { readonly from: string; readonly to: string }, timeZone: string): string {
  const first = dayIn(new Date(from), timeZone);
  const after = dayIn(new Date(to), timeZone);
  const last = dayIn(new Date(Date.parse(to) - 1), timeZone);
  if (isMonth(first, last, after)) return `${MONTHS[first.month - 1]} ${first.year}`;
  if (first.year !== last.year) return `${dayName(first)} – ${dayName(last)}`;
  if (first.month !== last.month) return `${first.day} ${MONTHS[first.month - 1]} – ${dayName(last)}`;
  return first.day === last.day ? dayName(last) : `${first.day} – ${dayName(last)}`;
}

function isMonth(first: Day, last: Day, after: Day): boolean {
  return first.day === 1 && after.day === 1 && first.year === last.year && first.month === last.month;
}

function dayName({ day, month, year }: Day): string {
  return `${day} ${MONTHS[month - 1]} ${year}`;
}

function dayIn(instant: Date, timeZone: string): Day {
  const options = { timeZone, calendar: 'gregory', numberingSystem: 'latn' } as const;
  const format = new Intl.DateTimeFormat('en-US', { ...options, year: 'numeric', month: 'numeric', day: 'numeric' });
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  return { year: parts.get('year')!, month: parts.get('month')!, day: parts.get('day')! };
}
