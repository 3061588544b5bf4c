import type { Json, JsonObject } from '../../../base/shared/json.js';

/** Reference tokens of an RFC 6901 pointer; the empty list is the whole document. */
export type JsonPointer = readonly string[];

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const ARRAY_INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

/** RFC 6901 section 3 and 4; `undefined` if the text is no pointer. */
export function parsePointer(text: string): JsonPointer | undefined {
  if (!POINTER.test(text)) return undefined;
  // The order matters: `~01` is `~1`, not a slash.
  return text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value a pointer names, or `undefined`. Only own members count, so `__proto__` finds nothing inherited. */
export function resolvePointer(document: Json, pointer: JsonPointer): Json | undefined {
  let value: Json | undefined = document;
  for (const token of pointer) {
    if (value === null || typeof value !== 'object') return undefined;
    if (Array.isArray(value)) value = ARRAY_INDEX.test(token) ? (value[Number(token)] as Json | undefined) : undefined;
    else value = Object.hasOwn(value, token) ? (value as JsonObject)[token] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}
