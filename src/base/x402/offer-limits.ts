import { Problem } from '../shared/problem.js';
import { encodeHeader } from './headers.js';
import { MAX_PAYMENT_HEADER_BYTES } from './payment-header.js';
import { encodeOffer, type OfferInput, paymentRequired } from './payment-required.js';

/** Servers and proxies commonly stop at 8 KB of reply headers; Node's client at 16 KB. */
export const MAX_REPLY_HEADER_BYTES = 8192;
/** Left for what others add: date, connection, content length, tracing, and `PAYMENT-RESPONSE` of a failed settlement. */
const RESERVED_BYTES = 1024;
const SERVICE_NAME = /^[\x20-\x7e]{1,32}$/;

/** What the client adds to the echoed terms: a signature of 65 bytes, the authorization, and a payment identifier of 128 letters. */
const SIGNED_PART = {
  signature: `0x${'0'.repeat(130)}`,
  authorization: {
    from: `0x${'0'.repeat(40)}`,
    to: `0x${'0'.repeat(40)}`,
    value: '9'.repeat(78),
    validAfter: '9'.repeat(10),
    validBefore: '9'.repeat(10),
    nonce: `0x${'0'.repeat(64)}`,
  },
  id: 'x'.repeat(128),
};

/** Bytes that these headers take in an HTTP/1.1 reply, separators included. Values are ASCII. */
export function headerBytes(headers: Readonly<Record<string, string>>): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
}

/**
 * Checks a route's worst case (longest texts, amount and quote) when it is configured, so that no 402 fails later:
 * reply headers below 8 KB, the payment that echoes them within what `decodePayment` reads, and the rules that strict
 * clients apply to an offer.
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
  const echo = echoBytes(worst);
  if (echo > MAX_PAYMENT_HEADER_BYTES) {
    throw refused(`the payment would have ${echo} bytes, the limit is ${MAX_PAYMENT_HEADER_BYTES}`);
  }
}

/** Length of the longest payment header that a version 2 client makes of this offer: it echoes one accept. */
function echoBytes(offer: OfferInput): number {
  const { resource, extensions, accepts } = paymentRequired(offer);
  const sizes = accepts.map(
    (accepted) =>
      encodeHeader(JSON.stringify({ x402Version: 2, resource, accepted, payload: SIGNED_PART, extensions })).length,
  );
  return Math.max(...sizes);
}

function refused(detail: string): Problem {
  return new Problem('invalid_request', detail);
}
