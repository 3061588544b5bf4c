/** Servers and proxies commonly stop at 8 KB of reply headers; Node's client at 16 KB. */
const MAX_REPLY_HEADER_BYTES = 8192;
/** Left for what others add: date, connection, content length, tracing, and `PAYMENT-RESPONSE` of a failed settlement. */
const RESERVED_BYTES = 1024;
/** What is left for the headers of the offer itself. */
export const OFFER_HEADER_BYTES_MAX = MAX_REPLY_HEADER_BYTES - RESERVED_BYTES;

/** Bytes that these headers take in an HTTP/1.1 reply, separators included. Values are ASCII. */
export function headerBytes(headers: Readonly<Record<string, string>>): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
}
