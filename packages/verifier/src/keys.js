import { createHash, createPublicKey } from 'node:crypto';
import { digestFrom } from './base64url.js';
import { Unreadable } from './strict-json.js';

/** Length of the thumbprint in a key's id: 96 bits. */
const ID_LENGTH = 16;

/** @typedef {Map<string, import('node:crypto').KeyObject>} Keys public Ed25519 keys by what follows the `#` in their `kid` */

/**
 * What of a `kid` names the key: the thumbprint. The host before it is that of the day, and may have moved since.
 *
 * @param {string} kid
 */
export function keyIdIn(kid) {
  return kid.slice(kid.lastIndexOf('#') + 1);
}

/**
 * Ed25519 keys of a JWK set (RFC 7517, RFC 8037). A key counts only if its id ends in its own thumbprint, so that the id in a
 * signature names the key itself and not whatever a server calls so today.
 *
 * @param {import('./json.d.ts').Json} document
 * @param {readonly string[]} pins if any, only the keys with one of these ids or thumbprints count
 * @returns {Keys}
 * @throws {Unreadable} if it is no key set, or nothing in it counts
 */
export function keysFrom(document, pins = []) {
  const list = document !== null && typeof document === 'object' && 'keys' in document ? document.keys : undefined;
  if (!Array.isArray(list)) throw new Unreadable('the key file is not a JWK set: it has no list "keys"');
  /** @type {Keys} */
  const keys = new Map();
  for (const jwk of list) {
    const key = keyFrom(jwk);
    if (key && (pins.length === 0 || pins.some((pin) => isPinned(pin, key)))) keys.set(keyIdIn(key.kid), key.key);
  }
  if (keys.size > 0) return keys;
  throw new Unreadable(
    `none of the ${list.length} keys is ${pins.length > 0 ? 'the pinned one' : 'an Ed25519 key with its thumbprint as id'}`,
  );
}

/** @typedef {{ kid: string, thumbprint: string, key: import('node:crypto').KeyObject }} NamedKey */

/**
 * @param {import('./json.d.ts').Json} jwk
 * @returns {NamedKey | undefined}
 */
function keyFrom(jwk) {
  if (jwk === null || typeof jwk !== 'object' || Array.isArray(jwk)) return undefined;
  const { kid, kty, crv, x } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof kid !== 'string' || !digestFrom(x)) return undefined;
  const thumbprint = thumbprintOf(String(x));
  if (!kid.endsWith(`#${thumbprint.slice(0, ID_LENGTH)}`)) return undefined;
  return { kid, thumbprint, key: createPublicKey({ key: { kty, crv, x: String(x) }, format: 'jwk' }) };
}

/**
 * RFC 7638 with the members of RFC 8037 section 2.
 *
 * @param {string} x
 */
function thumbprintOf(x) {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}

/**
 * @param {string} pin
 * @param {NamedKey} key
 */
function isPinned(pin, { kid, thumbprint }) {
  return pin === kid || pin === thumbprint || pin === thumbprint.slice(0, ID_LENGTH);
}
