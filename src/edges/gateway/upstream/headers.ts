import type { IncomingHttpHeaders } from 'node:http';

/** Name and value, as they go on the wire; repeated names are repeated pairs. */
export type HeaderPair = readonly [name: string, value: string];

/** RFC 9110 section 7.6.1, with the older names that intermediaries still strip. `connection` adds its own list. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** Payment talk is between the buyer and Tollbook, in both directions (x402 v2 and v1). */
const PAYMENT = ['payment-signature', 'x-payment', 'payment-required', 'payment-response', 'x-payment-response'];

const FROM_CLIENT_ONLY_TO_US = new Set([
  // Who calls: proven to us, and a secret before others.
  'sign-in-with-x',
  ...HOP_BY_HOP,
  ...PAYMENT,
  // Made anew for the upstream connection.
  'host',
  'content-length',
  'expect',
  'x-request-id',
  // Claims about the connection that only a trusted intermediary may make.
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  // These make some frameworks run another method or path than the one that was paid for.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]);

const FROM_UPSTREAM_ONLY_TO_US = new Set([
  ...HOP_BY_HOP,
  ...PAYMENT,
  // A paid answer belongs to one buyer; these would let a shared cache hand it to others.
  'cache-control',
  'expires',
  'pragma',
  'age',
  'surrogate-control',
  'cdn-cache-control',
  // Would name a way around this gateway.
  'alt-svc',
]);

const OURS = ['tollbook-', 'x-forwarded-'];

/**
 * Client headers as the upstream may see them, as a flat name, value list.
 * @param raw flat list, as `IncomingMessage.rawHeaders`
 * @param passAuthorization false drops `Authorization`, for providers whose upstream has another use for it
 */
export function upstreamRequestHeaders(raw: readonly string[], passAuthorization: boolean): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = canonicalName(raw[at]!);
    if (FROM_CLIENT_ONLY_TO_US.has(name) || OURS.some((prefix) => name.startsWith(prefix))) continue;
    if (named?.has(name) || (name === 'authorization' && !passAuthorization)) continue;
    kept.push(raw[at]!, raw[at + 1]!);
  }
  return kept;
}

/**
 * Upstream headers as the buyer may see them, marked `Cache-Control: private, no-store`.
 * `Content-Length` stays (it frames the answer), `Content-Encoding` and `Location` are passed on as they are.
 */
export function buyerAnswerHeaders(headers: IncomingHttpHeaders): HeaderPair[] {
  const named = headers.connection === undefined ? undefined : connectionTokens([String(headers.connection)]);
  const kept: HeaderPair[] = [['cache-control', 'private, no-store']];
  for (const name in headers) {
    if (FROM_UPSTREAM_ONLY_TO_US.has(name) || name.startsWith('tollbook-') || named?.has(name)) continue;
    const value = headers[name];
    if (typeof value === 'string') kept.push([name, value]);
    else if (value !== undefined) for (const one of value) kept.push([name, one]);
  }
  return kept;
}

/** Lower case, and `_` as `-`: CGI-like upstreams cannot tell the two apart, so neither may we. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

/** What `Connection` names is for us alone, and is not passed on. Lower case, `_` as `-`. */
export function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  let values: string[] | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]!.length === 10 && raw[at]!.toLowerCase() === 'connection') {
      values ??= [];
      values.push(raw[at + 1]!);
    }
  }
  return values && connectionTokens(values);
}

function connectionTokens(values: readonly string[]): Set<string> | undefined {
  if (values.length === 1 && (values[0] === 'keep-alive' || values[0] === 'close')) return undefined;
  return new Set(values.flatMap((value) => value.split(',')).map((token) => canonicalName(token.trim())));
}
