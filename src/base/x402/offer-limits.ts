import { Problem } from '../shared/problem.js';
import { encodeOffer, type OfferInput } from './payment-required.js';

/** Servers and proxies commonly stop at 8 KB of reply headers; Node's client at 16 KB. */
export const MAX_REPLY_HEADER_BYTES = 8192;
/** Left for what others add: date, connection, content length, tracing, and `PAYMENT-RESPONSE` of a failed settlement. */
const RESERVED_BYTES = 1024;
/** What is left for the headers of the offer itself. */
export const OFFER_HEADER_BYTES_MAX = MAX_REPLY_HEADER_BYTES - RESERVED_BYTES;
const SERVICE_NAME = /^[\x20-\x7e]{1,32}$/;

/** Bytes that these headers take in an HTTP/1.1 reply, separators included. Values are ASCII. */
export function headerBytes(headers: Readonly<Record<string, string>>): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
}

/**
 * Checks a route's worst case (longest texts, amount and quote) when it is configured, so that no 402 fails later:
 * reply headers below 8 KB, and the rules that strict clients apply to an offer. The payment that echoes such an offer
 * fits into what `decodePayment` reads.
 *
 * @throws Problem `invalid_request`; the detail says which limit
 */
export function checkOffer(worst: OfferInput): void {
  const { resource, accepts } = worst;
  if (accepts.length === 0) throw refused('an offer needs at least one way to pay');
  if (!URL.canParse(resource.url)) throw refused('resource.url must be an absolute URL');
  if (resource.serviceName !== undefined && !SERVICE_NAME.test(resource.serviceName)) {
    throw refused('resource.serviceName must have 1 to 32 printable ASCII characters');
  }
  if (accepts.some(({ maxTimeoutSeconds: seconds }) => !Number.isInteger(seconds) || seconds < 1)) {
    throw refused('maxTimeoutSeconds must be a whole number above 0');
  }
  const reply = headerBytes(encodeOffer(worst).headers) + RESERVED_BYTES;
  if (reply > MAX_REPLY_HEADER_BYTES) {
    throw refused(`the 402 would have ${reply} bytes of headers, the limit is ${MAX_REPLY_HEADER_BYTES}`);
  }
}

function refused(detail: string): Problem {
  return new Problem('invalid_request', detail);
}
