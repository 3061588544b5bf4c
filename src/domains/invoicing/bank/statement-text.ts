/** How banks write amounts and days. Nothing is guessed: what does not fit is not read. */

export type DecimalMark = 'point' | 'comma';

/** Between thousands: a blank of any kind, an apostrophe, or the other mark. */
const BLANKS = "[ \\u00a0\\u202f'\\u2019]";
const AMOUNT = { point: amountPattern('\\.', ','), comma: amountPattern(',', '\\.') } as const;

function amountPattern(mark: string, other: string): RegExp {
  const grouped = [BLANKS, other].map((group) => `\\d{1,3}(?:${group}\\d{3})+`).join('|');
  return new RegExp(`^([+\\-\\u2212]?)(${grouped}|\\d+)(?:${mark}(\\d+))?([+\\-\\u2212]?)$`);
}

/**
 * Minor units, signed: `1.234,5-` with a comma and 2 digits is -123450. `undefined` if it is no amount that the currency has.
 *
 * @param digits of the currency's minor unit
 */
export function readAmount(text: string, mark: DecimalMark, digits: number): bigint | undefined {
  const match = AMOUNT[mark].exec(text.trim());
  if (!match) return undefined;
  const [, before = '', whole = '', fraction = '', behind = ''] = match;
  if (before !== '' && behind !== '') return undefined;
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > digits || whole.length > 24) return undefined;
  const minor = BigInt(whole.replace(/\D/g, '') + significant.padEnd(digits, '0'));
  return /[-\u2212]/.test(before + behind) ? -minor : minor;
}

export const dateForms = ['YYYY-MM-DD', 'YYYYMMDD', 'DD.MM.YYYY', 'DD/MM/YYYY', 'MM/DD/YYYY'] as const;
export type DateForm = (typeof dateForms)[number];

const DATE: Readonly<Record<DateForm, RegExp>> = {
  'YYYY-MM-DD': /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})$/,
  YYYYMMDD: /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})$/,
  'DD.MM.YYYY': /^(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4})$/,
  'DD/MM/YYYY': /^(?<day>\d{1,2})\/(?<month>\d{1,2})\/(?<year>\d{4})$/,
  'MM/DD/YYYY': /^(?<month>\d{1,2})\/(?<day>\d{1,2})\/(?<year>\d{4})$/,
};

/** `2026-12-01`, or `undefined` if the calendar has no such day, or it is before 1970. */
export function readDate(text: string, form: DateForm): string | undefined {
  const parts = DATE[form].exec(text.trim())?.groups;
  if (!parts) return undefined;
  const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)];
  const date = new Date(Date.UTC(year, month - 1, day));
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same && year >= 1970 ? date.toISOString().slice(0, 10) : undefined;
}
