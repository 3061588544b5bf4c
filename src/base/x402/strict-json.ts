import { type Json, type JsonObject } from '../shared/json.js';
import { Problem } from '../shared/problem.js';

const MAX_DEPTH = 32;
const JSON_STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/g;
/** NUL cannot be stored as text in Postgres; a lone surrogate is not Unicode text at all. */
const FORBIDDEN_TEXT = /[\0\p{Cs}]/u;

// A byte order mark is kept, so that the JSON parser refuses it (RFC 8259, section 8.1).
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of canonical standard base64 (RFC 4648, section 4): its alphabet, its padding, no stray bits. Else `undefined`. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Buffer skips what it does not know and takes the URL alphabet too; encoding again shows both.
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * Parses one JSON object within I-JSON (RFC 7493): UTF-8, no member twice, no NUL or lone surrogate, numbers no
 * larger than 2^53 - 1. Also refused: `__proto__` as a name, and more than 32 levels.
 * Two readers of such a text see the same object.
 *
 * @throws Problem `malformed_payment`
 */
export function parseStrictJson(bytes: Buffer): JsonObject {
  const { text, value } = parse(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('is not a JSON object');
  const members = inspect(value, 1);
  // UTF-8 and JSON leave only escapes as a way to write what is forbidden.
  if (text.includes('\\u')) JSON.parse(text, inspectText);
  // What JSON.stringify would write, as JavaScript clients do, has no name twice.
  if (JSON.stringify(value) !== text && members !== membersIn(text)) throw malformed('names a member twice');
  return value as JsonObject;
}

/** A repeated name leaves fewer members than the text has colons outside its strings. */
function membersIn(text: string): number {
  return text.replace(JSON_STRING, '').split(':').length - 1;
}

function parse(bytes: Buffer): { text: string; value: Json } {
  try {
    const text = utf8.decode(bytes);
    return { text, value: JSON.parse(text) as Json };
  } catch {
    throw malformed('is not JSON in UTF-8');
  }
}

/** Counts the members of all objects within `value` and refuses what a payment must not hold. */
function inspect(value: Json, depth: number): number {
  if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    throw malformed('holds a number beyond 2^53');
  }
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_DEPTH) throw malformed(`is nested deeper than ${MAX_DEPTH} levels`);
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += inspect(item, depth + 1);
    return members;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw malformed('names a member __proto__');
    members += 1 + inspect(item, depth + 1);
  }
  return members;
}

/** A JSON.parse reviver that looks at every name and text. */
function inspectText(key: string, value: unknown): unknown {
  if (FORBIDDEN_TEXT.test(key) || (typeof value === 'string' && FORBIDDEN_TEXT.test(value))) {
    throw malformed('holds NUL or half a character');
  }
  return value;
}

function malformed(what: string): Problem {
  return new Problem('malformed_payment', `The decoded payment header ${what}`);
}
