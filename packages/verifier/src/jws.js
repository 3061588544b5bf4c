import { verify } from 'node:crypto';
import { fromBase64url } from './base64url.js';
import { canonicalJson } from './canonical-json.js';
import { Failed } from './check.js';
import { keyIdIn } from './keys.js';
import { readJson, Unreadable } from './strict-json.js';

/**
 * @typedef {object} Signed
 * @property {import('./json.d.ts').JsonObject} payload
 * @property {string} text the payload as it was signed: canonical JSON
 * @property {string} kid
 */

/**
 * Opens a compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037). Only this algorithm, and only a key that the caller holds:
 * nothing in the header is followed.
 *
 * @param {unknown} jws
 * @param {import('./keys.js').Keys} keys
 * @returns {Signed}
 * @throws {Failed}
 */
export function openJws(jws, keys) {
  const parts = typeof jws === 'string' ? jws.split('.') : [];
  const [header, payload, signature] = parts.map(fromBase64url);
  if (parts.length !== 3 || !header || !payload || !signature) throw new Failed('this is no compact JWS');
  const { alg, kid, ...others } = objectIn(header, 'header');
  if (alg !== 'EdDSA') throw new Failed('the algorithm is not EdDSA');
  if (typeof kid !== 'string' || Object.keys(others).length > 0)
    throw new Failed('the header holds more than a key id');
  const key = keys.get(keyIdIn(kid));
  if (!key) throw new Failed(`it is signed with ${kid}, which is not among the keys`);
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (!verify(null, signed, key, signature)) throw new Failed(`the signature does not hold with ${kid}`);
  const content = objectIn(payload, 'payload');
  const text = payload.toString();
  if (canonicalJson(content) !== text) throw new Failed('the signed text is not canonical JSON');
  return { payload: content, text, kid };
}

/**
 * @param {Buffer} bytes
 * @param {string} part
 * @returns {import('./json.d.ts').JsonObject}
 */
function objectIn(bytes, part) {
  const value = parsed(bytes, part);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Failed(`the ${part} is no object`);
  return value;
}

/**
 * @param {Buffer} bytes
 * @param {string} part
 */
function parsed(bytes, part) {
  try {
    return readJson(bytes, `the ${part}`);
  } catch (error) {
    if (error instanceof Unreadable) throw new Failed(error.message);
    throw error;
  }
}
