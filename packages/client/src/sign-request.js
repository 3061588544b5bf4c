import { base64, base64url } from './encoding.js';

/** @typedef {import('node:crypto').webcrypto.JsonWebKey & { kid?: string }} Jwk */

/**
 * @typedef {object} SigningKey
 * @property {string} keyId as the seller knows it
 * @property {import('node:crypto').webcrypto.CryptoKey} key Ed25519, private
 */

/** What the seller expects the signature to be for. */
const TAG = 'tollbook-commitment';
/** How long a signature is taken, in seconds. */
const LIFETIME_SECONDS = 30;
/** Printed into a quoted string, so neither a quote nor a backslash. */
const KEY_ID = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/**
 * @param {Jwk} jwk an Ed25519 key pair (RFC 8037)
 * @param {string} [keyId] the seller's name for it; by default the key's own `kid`, else its thumbprint (RFC 7638)
 * @returns {Promise<SigningKey>}
 * @throws {TypeError} if it is no such key, or has a name that cannot be sent
 */
export async function importKey(jwk, keyId) {
  const { crv, d, kty, x } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519' || !d || !x) throw new TypeError('the key is no private Ed25519 JWK');
  const id = keyId ?? jwk.kid ?? (await thumbprint(x));
  if (!KEY_ID.test(id)) throw new TypeError('a key id is 1 to 128 printable ASCII characters without quotes');
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, d }, { name: 'Ed25519' }, false, ['sign']);
  return { keyId: id, key };
}

/**
 * Signs a request as a commitment (RFC 9421): all that makes it what it is, once, for half a minute.
 *
 * @param {SigningKey} key
 * @param {{ method: string, url: string, body: Uint8Array, payment: string }} request the payment is the value of `PAYMENT-SIGNATURE`
 * @param {number} now epoch milliseconds
 * @returns {Promise<Record<string, string>>} the header fields to send with it
 */
export async function signRequest({ key, keyId }, { body, method, payment, url }, now) {
  const { host, pathname, search } = new URL(url);
  /** @type {[name: string, value: string][]} */
  const covered = [
    ['@method', method],
    ['@authority', host],
    ['@path', pathname],
    ['@query', search === '' ? '?' : search],
  ];
  /** @type {Record<string, string>} */
  const fields = { 'payment-signature': payment };
  if (body.length > 0) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (body)));
    fields['content-digest'] = `sha-256=:${base64(digest)}:`;
  }
  covered.push(...Object.entries(fields));
  const created = Math.floor(now / 1000);
  const nonce = base64url(crypto.getRandomValues(new Uint8Array(18)));
  const names = covered.map(([name]) => `"${name}"`).join(' ');
  const times = `created=${created};expires=${created + LIFETIME_SECONDS}`;
  const input = `(${names});${times};nonce="${nonce}";keyid="${keyId}";tag="${TAG}"`;
  const lines = [...covered, ['@signature-params', input]].map(([name, value]) => `"${name}": ${value}`);
  const base = new TextEncoder().encode(lines.join('\n'));
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', key, base));
  return { ...fields, 'signature-input': `commitment=${input}`, signature: `commitment=:${base64(signature)}:` };
}

/** @param {string} x */
async function thumbprint(x) {
  const text = new TextEncoder().encode(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }));
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', text)));
}
