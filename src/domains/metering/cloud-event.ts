import { z } from 'zod';
import { canonicalExact, type ExactJson } from '../../base/shared/exact-json.js';
import { line } from './meter.schemas.js';

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

const URI_REFERENCE = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
const uriReference = z.string().max(400).regex(URI_REFERENCE, 'must be a URI reference of at most 400 characters');
const id = line(200);
const jsonType = z.string().regex(/^[\w.!#$&^+-]+\/(?:[\w.!#$&^-]+\+)?json\s*(?:;.*)?$/i, 'must be JSON');
const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(9999, 0, 1);
const time = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with its offset' })
  .refine((text) => Date.parse(text) >= EARLIEST && Date.parse(text) < LATEST, 'must be within the years 1970 to 9998');
const extension = z.union([z.string().max(1_000), z.boolean(), z.int32()], 'must be a text, boolean or 32-bit integer');

const attributes = z
  .object({
    specversion: z.literal('1.0', 'must be 1.0'),
    id,
    source: uriReference,
    type: line(200),
    /** The customer; an account's id or an address. */
    subject: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, 'must be the id of a customer'),
    time,
    datacontenttype: jsonType.optional(),
    dataschema: uriReference.optional(),
    data: z.unknown().optional(),
    data_base64: z.undefined('data must be JSON').optional(),
    /** Id, and source if it is another one, of the event that this one takes the place of. */
    replaces: id.optional(),
    replacessource: uriReference.optional(),
  })
  .catchall(extension);

const NAME = /^[a-z0-9]{1,20}$/;
const LONG_NAMES = new Set(['data_base64']);

export interface Fault {
  /** Members from the event on. */
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

/** Reads what was sent as one event; an attribute that is `null` was not sent. */
export function readUsageEvent(sent: ExactJson): UsageEvent | Fault {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    return { path: [], detail: 'must be an object' };
  const members = Object.entries(sent).filter(([, value]) => value !== null);
  const odd = members.find(([name]) => !NAME.test(name) && !LONG_NAMES.has(name));
  if (odd) return { path: [odd[0]], detail: 'names of attributes have at most 20 lower-case letters and digits' };
  const { data: parsed, error } = attributes.safeParse(Object.fromEntries(members));
  if (error) return faultOf(error.issues[0]!);
  const { data, source, subject: customer, type } = parsed;
  if (type === VOIDED && parsed.replaces === undefined) {
    return { path: ['replaces'], detail: 'must name the event that is taken back' };
  }
  const text = textOf(members);
  if (Buffer.byteLength(text) > EVENT_MAX) return { path: [], detail: `is above ${EVENT_MAX} bytes` };
  const replaces = parsed.replaces && `${parsed.replacessource ?? source} ${parsed.replaces}`;
  const at = microseconds(parsed.time);
  return {
    ...{ source, id: parsed.id, type, customer, time: Date.parse(parsed.time), at, replaces, text },
    data: data as ExactJson | undefined,
  };
}

function faultOf({ code, input, message, path }: z.core.$ZodIssue): Fault {
  return { path, detail: code === 'invalid_type' && input === undefined ? 'is missing' : message };
}

/** In every mode the same: the data is JSON whatever its type says, and only in JSON is an attribute anything but text. */
function textOf(members: readonly [string, ExactJson][]): string {
  const kept = members
    .filter(([name]) => name !== 'datacontenttype')
    .map(([name, value]): [string, ExactJson] => [name, name === 'data' ? value : String(value)]);
  return canonicalExact(Object.fromEntries(kept));
}

/** In UTC, cut to microseconds, as Postgres keeps it: `2026-11-25T04:00:00.123456Z`. */
function microseconds(text: string): string {
  const digits = /\.(\d+)/.exec(text)?.[1] ?? '';
  return `${new Date(text).toISOString().slice(0, -1)}${digits.slice(3, 6).padEnd(3, '0')}Z`;
}
