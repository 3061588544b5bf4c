const ALPHABET = /^[A-Za-z0-9_-]*$/;
const DIGEST_BYTES = 32;

/**
 * Base64url without padding (RFC 4648 section 5), one spelling per value: Node's own decoder skips what it does not know and
 * ignores the unused bits of the last character, so that changed text would decode to the same bytes.
 *
 * @param {unknown} text
 * @returns {Buffer | undefined} undefined for anything else
 */
export function fromBase64url(text) {
  if (typeof text !== 'string' || !ALPHABET.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/**
 * @param {unknown} text
 * @returns {Buffer | undefined} the 32 bytes of a SHA-256 digest
 */
export function digestFrom(text) {
  const bytes = fromBase64url(text);
  return bytes?.length === DIGEST_BYTES ? bytes : undefined;
}
