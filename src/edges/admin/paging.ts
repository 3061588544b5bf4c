import { z } from 'zod';
import { Problem } from '../../base/shared/problem.js';

/**
 * `limit` 1..200 (default 50) and the `cursor` that the last page gave. Other parameters are refused: a misspelled filter
 * must not look like one that lets everything through.
 */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});

export interface Page<T> {
  readonly data: readonly T[];
  /** Absent on the last page. */
  readonly next_cursor?: string;
}

/** A cursor is opaque to callers: base64url of the last row's sort key. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

export function decodeCursor(cursor: string, parts: number): readonly string[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(key) && key.length === parts && key.every(isText)) return key;
  } catch {
    // falls through to the refusal below
  }
  throw noCursor();
}

/** Of a list whose rows are in the order of a number. */
export function decodeNumber(cursor: string, digits = 18): bigint {
  const number = decodeCursor(cursor, 1)[0]!;
  if (!/^\d+$/.test(number) || number.length > digits) throw noCursor();
  return BigInt(number);
}

export function noCursor(): Problem {
  return new Problem('invalid_request', 'cursor is not one that a list gave');
}

function isText(part: unknown): part is string {
  return typeof part === 'string' && !part.includes('\0');
}

/** Cuts the extra row that tells whether there is another page. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  keyOf: (row: R) => readonly string[],
  view: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { data: shown.map(view), ...(more ? { next_cursor: encodeCursor(keyOf(last)) } : {}) };
}
