import { digestFrom } from './base64url.js';
import { check, isObject, must } from './check.js';
import { openJws } from './jws.js';

const POSITION = /^[1-9]\d{0,18}$/;

/**
 * One seal: it vouches for the events at the positions `from` to `to`.
 *
 * @typedef {object} Seal
 * @property {number} number from 1
 * @property {bigint} from
 * @property {bigint} to
 * @property {Buffer} root of the Merkle tree over the events
 * @property {import('./json.d.ts').Json | undefined} previous digest of the seal before
 * @property {import('./json.d.ts').Json | undefined} history root of the Merkle tree over all seals before
 * @property {string} text the signed payload
 * @property {string} kid
 */

/**
 * @param {unknown} jws
 * @param {import('./keys.js').Keys} keys
 * @returns {Seal}
 * @throws {import('./check.js').Failed}
 */
export function openSeal(jws, keys) {
  const { payload, text, kid } = openJws(jws, keys);
  const { type, version, number, from, to, previous, history } = payload;
  must(type === 'tollbook-seal' && version === 1, 'what was signed is no seal of version 1');
  must(typeof number === 'number' && Number.isSafeInteger(number) && number >= 1, 'the seal has no number');
  must(isPosition(from) && isPosition(to) && BigInt(from) <= BigInt(to), 'the seal names no range of positions');
  const root = digestFrom(payload.root);
  must(root, 'the seal holds no root');
  return { number, from: BigInt(from), to: BigInt(to), root, previous, history, text, kid };
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
export function isPosition(value) {
  return typeof value === 'string' && POSITION.test(value);
}

/**
 * The seals that a document carries, by number.
 *
 * @param {import('./json.d.ts').Json} list
 * @param {import('./keys.js').Keys} keys
 * @returns {{ seals: Map<number, Seal>, checks: import('./check.js').Check[] }} the seals that hold
 */
export function openSeals(list, keys) {
  /** @type {Map<number, Seal>} */
  const seals = new Map();
  if (!isObject(list)) return { seals, checks: [{ name: 'seals', ok: false, detail: 'they are no object' }] };
  const checks = Object.entries(list).map(([name, jws]) =>
    check(`seal ${name}`, () => {
      const seal = openSeal(jws, keys);
      must(String(seal.number) === name, `it is seal ${seal.number}`);
      seals.set(seal.number, seal);
      return `positions ${seal.from} to ${seal.to}, signed by ${seal.kid}`;
    }),
  );
  return { seals, checks };
}
