import { Failed } from './check.js';

/**
 * RFC 8785 for the values that Tollbook signs: strings, booleans, null, numbers up to 2^53, lists and objects. Members are
 * sorted by UTF-16 code units, as the RFC asks.
 *
 * @param {import('./json.d.ts').Json} value
 * @returns {string}
 * @throws {Failed} for a larger number: texts that differ could be read as the same one
 */
export function canonicalJson(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    throw new Failed(`the number ${value} is not exact`);
  }
  return JSON.stringify(value);
}
