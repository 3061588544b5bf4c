import { hash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../../shared/json.js';
import { canonicalJsonb } from './jsonb.js';
import { leafHash } from './merkle.js';

/** What a seal says of an event: everything but its data, of which there is a digest. Public. */
export interface EventHeader {
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  /** `dataDigest` of the event's data. */
  readonly digest: string;
  readonly kind: 'tollbook-event-1';
  /** Decimal. */
  readonly position: string;
  readonly schema: number;
  readonly stream: string;
  readonly tenant: string;
  readonly type: string;
  readonly version: number;
}

/** An event as its row says, every column as text: what a seal covers is what is stored, to the last digit. */
export type SealRow = readonly [
  position: string,
  stream: string,
  version: string,
  type: string,
  schema: string,
  tenant: string,
  data: string,
  occurredAt: string,
];

export const sealColumns =
  "position::text, stream, version::text, type, schema::text, tenant, data::text, (occurred_at at time zone 'UTC')::text";

/** base64url(SHA-256(canonical JSON)). */
export function dataDigest(data: JsonObject): string {
  return hash('sha256', canonicalJson(data), 'base64url');
}

/** SHA-256(0x00 ‖ canonical JSON of the header): RFC 6962's leaf. */
export function leafOf(row: SealRow): Buffer {
  return leafHash(headerText(row)(row[0]));
}

/** The leaf that an event would be at any position. */
export function leafAnywhere(row: SealRow): (position: string) => Buffer {
  const textAt = headerText(row);
  return (position) => leafHash(textAt(position));
}

export function headerOf(row: SealRow): EventHeader {
  return JSON.parse(headerText(row)(row[0])) as EventHeader;
}

/** Canonical JSON of the header, written out member by member because it is written for every event of the log. */
function headerText([, stream, version, type, schema, tenant, data, occurredAt]: SealRow): (
  position: string,
) => string {
  const digest = hash('sha256', canonicalJsonb(data), 'base64url');
  const before = `{"at":${JSON.stringify(isoTime(occurredAt))},"digest":"${digest}","kind":"tollbook-event-1",`;
  const behind =
    `,"schema":${schema},"stream":${JSON.stringify(stream)},"tenant":${JSON.stringify(tenant)},` +
    `"type":${JSON.stringify(type)},"version":${version}}`;
  return (position) => `${before}"position":"${position}"${behind}`;
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?$/;
/** Events that were committed together have one time. */
let lastTime = { printed: '', iso: '' };

/** What Postgres prints of a time in UTC, as ISO 8601. What no event was ever given (infinity, microseconds) stays as it is. */
function isoTime(printed: string): string {
  if (printed === lastTime.printed) return lastTime.iso;
  const [, day, time, fraction = ''] = TIMESTAMP.exec(printed) ?? [];
  const iso = day === undefined ? printed : `${day}T${time}.${fraction.padEnd(3, '0')}Z`;
  lastTime = { printed, iso };
  return iso;
}
