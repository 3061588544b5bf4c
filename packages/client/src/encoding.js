/**
 * Standard base64 with padding (RFC 4648 section 4), in pieces: a call takes only so many arguments.
 *
 * @param {Uint8Array} bytes
 */
export function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * The object in an x402 header; `undefined` if it holds none.
 *
 * @param {string | null} header
 * @returns {any}
 */
export function jsonInHeader(header) {
  if (header === null) return undefined;
  try {
    const bytes = Uint8Array.from(atob(header), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** @param {object} value */
export function jsonHeader(value) {
  return base64(new TextEncoder().encode(JSON.stringify(value)));
}
