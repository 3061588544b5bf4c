import { canonicalExact, type ExactJson, JsonFault } from '../../base/shared/exact-json.js';

/** A usage event as it was sent, read: CloudEvents 1.0 with what we ask for beside it. */
export interface UsageEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly customer: string;
  /** When it was used, epoch milliseconds, and the same in UTC to the microsecond. */
  readonly time: number;
  readonly at: string;
  /** `source id` of the event that it takes the place of. */
  readonly replaces: string | undefined;
  readonly data: ExactJson | undefined;
  /** Canonical JSON of all that was sent: two events of one name are the same if this is. */
  readonly text: string;
}

/** The event that takes another one back has no data that counts. */
export const VOIDED = 'tollbook.usage.voided';

/** Bytes of one event. */
export const EVENT_MAX = 65_536;

/** What is wrong with the value of an attribute. Written by hand, because thousands are read at once. */
type Check = (value: ExactJson) => string | undefined;

const URI_REFERENCE = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2}){1,400}$/;
const NAME_TEXT = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,200}$/u;
const uriReference = matching(URI_REFERENCE, 'must be a URI reference of at most 400 characters');
const nameText = matching(NAME_TEXT, 'must have 1 to 200 characters, and no control characters');

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['specversion', (value) => (value === '1.0' ? undefined : 'must be 1.0')],
  ['id', nameText],
  ['source', uriReference],
  ['type', nameText],
  /** The customer; an account's id or an address. */
  ['subject', matching(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, 'must be the id of a customer')],
  [
    'time',
    (value) => (typeof value === 'string' && isTime(value) ? undefined : 'must be an RFC 3339 time with its offset'),
  ],
  ['datacontenttype', matching(/^[\w.!#$&^+-]+\/(?:[\w.!#$&^-]+\+)?json\s*(?:;.*)?$/i, 'must be JSON')],
  ['dataschema', uriReference],
  ['data', () => undefined],
  ['data_base64', () => 'is not taken: data must be JSON'],
  /** Id, and source if it is another one, of the event that this one takes the place of. */
  ['replaces', nameText],
  ['replacessource', uriReference],
]);
const REQUIRED = ['specversion', 'id', 'source', 'type', 'subject', 'time'] as const;

function matching(pattern: RegExp, otherwise: string): Check {
  return (value) => (typeof value === 'string' && pattern.test(value) ? undefined : otherwise);
}

const EXTENSION_MAX = 1_000;

function extension(value: ExactJson): string | undefined {
  if (typeof value === 'string' ? value.length <= EXTENSION_MAX : typeof value === 'boolean') return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return undefined;
  return `must be a text of at most ${EXTENSION_MAX} characters, a boolean or a 32-bit integer`;
}

/** In the years 1970 to 9998, with a day that its month has. */
const TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function isTime(text: string): boolean {
  const [, year, month, day] = TIME.exec(text) ?? [];
  if (year === undefined || year < '1970' || year > '9998') return false;
  return Number(day) <= 28 || Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

const NAME = /^[a-z0-9]{1,20}$/;

export interface Fault {
  /** Members from the event on. */
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

/** Reads what was sent as one event; an attribute that is `null` was not sent. */
export function readUsageEvent(sent: ExactJson): UsageEvent | Fault {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    return { path: [], detail: 'must be an object' };
  const event = sent as Readonly<Record<string, ExactJson | undefined>>;
  const names = Object.keys(event).filter((name) => event[name] !== null);
  const fault = faultIn(event, names);
  if (fault) return fault;
  const { id, source, subject: customer, time, type } = event as Readonly<Record<(typeof REQUIRED)[number], string>>;
  const { replaces: replaced, replacessource = source } = event as Readonly<Record<string, string | null | undefined>>;
  if (type === VOIDED && !replaced) return { path: ['replaces'], detail: 'must name the event that is taken back' };
  const text = textOf(event, names);
  if (typeof text !== 'string') return text;
  if (Buffer.byteLength(text) > EVENT_MAX) return { path: [], detail: `is above ${EVENT_MAX} bytes` };
  const replaces = replaced ? `${replacessource ?? source} ${replaced}` : undefined;
  const when = { time: Date.parse(time), at: microseconds(time) };
  return { source, id, type, customer, ...when, replaces, text, data: event.data ?? undefined };
}

function faultIn(event: Readonly<Record<string, ExactJson | undefined>>, names: readonly string[]): Fault | undefined {
  for (const name of names) {
    const check = checks.get(name);
    if (!check && !NAME.test(name)) {
      return { path: [name], detail: 'names of attributes have at most 20 lower-case letters and digits' };
    }
    const detail = (check ?? extension)(event[name]!);
    if (detail !== undefined) return { path: [name], detail };
  }
  const missing = REQUIRED.find((name) => event[name] === undefined || event[name] === null);
  return missing && { path: [missing], detail: 'is missing' };
}

/** In every mode the same: the data is JSON whatever its type says, and only in JSON is an attribute anything but text. */
function textOf(event: Readonly<Record<string, ExactJson | undefined>>, names: readonly string[]): string | Fault {
  const textual = (name: string) =>
    name === 'data' ? canonicalExact(event.data!) : JSON.stringify(String(event[name]));
  const kept = names.filter((name) => name !== 'datacontenttype').sort();
  try {
    return `{${kept.map((name) => `"${name}":${textual(name)}`).join(',')}}`;
  } catch (error) {
    if (error instanceof JsonFault) return { path: ['data'], detail: error.message };
    throw error;
  }
}

/** In UTC, cut to microseconds, as Postgres keeps it: `2026-11-25T04:00:00.123456Z`. */
function microseconds(text: string): string {
  const digits = text[19] === '.' ? /\d+/.exec(text.slice(20))![0] : '';
  const seconds = text.endsWith('Z') ? text.slice(0, 19) : new Date(text).toISOString().slice(0, 19);
  return `${seconds}.${digits.slice(0, 6).padEnd(6, '0')}Z`;
}
