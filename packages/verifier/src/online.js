import { Unreadable } from './strict-json.js';

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 4 * 1024 * 1024;

/**
 * The key set of the server that a receipt is fetched from.
 *
 * @param {string} receiptUrl
 */
export function keysUrl(receiptUrl) {
  return new URL('/.well-known/jwks.json', receiptUrl).href;
}

/**
 * @param {string} url
 * @returns {Promise<Uint8Array>} the body, whatever the status: an error document says more than its number
 * @throws {Unreadable}
 */
export async function fetchBytes(url) {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    /** @type {Uint8Array[]} */
    const pieces = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > BYTES_MAX) throw new Error('the answer is too long');
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (error) {
    const { message, cause } = /** @type {Error} */ (error);
    throw new Unreadable(`${url} could not be fetched: ${cause instanceof Error ? cause.message : message}`);
  }
}
