import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '../../base/shared/problem.js';
import { EXPOSED_HEADERS } from '../../base/x402/headers.js';
import { rateLimitFields, type ServiceLimit } from './rate-limit-fields.js';
import type { HeaderPair } from './upstream/headers.js';

const EXPOSE = 'access-control-expose-headers';
const ALLOW_ORIGIN = 'access-control-allow-origin';
const OURS = 'Tollbook-Payment, Tollbook-Refund, RateLimit, RateLimit-Policy, Retry-After';
const EXPOSED = `${EXPOSED_HEADERS['Access-Control-Expose-Headers']}, ${OURS}`;

interface WholeReply {
  readonly reply: ServerResponse;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

let waiting: WholeReply[] = [];

/**
 * Sends a whole reply, once all requests that have come in by now are worked off: a proxy on this machine is then woken
 * once for many replies, and waking it costs as much as an offer. Nothing happens if the client has gone.
 */
export function sendWhole(
  reply: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): void {
  if (waiting.push({ reply, status, headers, body }) === 1) setImmediate(sendWaiting);
}

function sendWaiting(): void {
  const replies = waiting;
  waiting = [];
  for (const one of replies) sendNow(one);
}

function sendNow({ body, headers, reply, status }: WholeReply): void {
  if (reply.destroyed || reply.headersSent) return;
  // A flat list goes out as it is; an object would be looked through once more.
  const head = [ALLOW_ORIGIN, '*', EXPOSE, EXPOSED];
  for (const name in headers) head.push(name, headers[name]!);
  head.push('content-length', String(Buffer.byteLength(body)));
  reply.writeHead(status, head);
  reply.end(body);
}

/** An error of a priced route: problem details (RFC 9457), never cached. */
export function sendProblem(
  reply: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (reply.headersSent) {
    // The head is out already; a broken connection is the only honest way to say that the answer is not complete.
    reply.destroy();
    return;
  }
  const type = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  sendWhole(reply, problem.status, { ...type, ...problem.headers, ...headers }, JSON.stringify(problem));
}

const RATE_LIMITED = new Problem('rate_limited');

/** 429: not yet. Made once, since it answers floods. */
export function sendLimited(reply: ServerResponse, limit: ServiceLimit): void {
  sendProblem(reply, RATE_LIMITED, rateLimitFields([limit]));
}

const RATE_LIMIT = 'ratelimit';
const RATE_LIMIT_POLICY = 'ratelimit-policy';

/**
 * The head of an upstream's answer with what we add. The upstream's own CORS decision is kept; our payment headers are
 * exposed beside the ones that it exposes. Its `RateLimit` fields are about us, its only client: where a reply says how its own
 * caller stands, they are left out.
 */
export function answerHead(
  reply: ServerResponse,
  answer: readonly HeaderPair[],
  ours: Readonly<Record<string, string>>,
): string[] {
  const flat: string[] = [];
  const told = RATE_LIMIT in ours || reply.hasHeader(RATE_LIMIT);
  let exposed = EXPOSED;
  let allowed = false;
  for (const [name, value] of answer) {
    const lower = name.toLowerCase();
    if (told && (lower === RATE_LIMIT || lower === RATE_LIMIT_POLICY)) continue;
    if (lower === EXPOSE) exposed = `${value}, ${exposed}`;
    else flat.push(name, value);
    if (lower === ALLOW_ORIGIN) allowed = true;
  }
  if (!allowed) flat.push(ALLOW_ORIGIN, '*');
  flat.push(EXPOSE, exposed);
  for (const name in ours) flat.push(name, ours[name]!);
  return flat;
}

/** CORS preflight, free for everyone: which methods the path serves, and that payment headers may be sent. */
export function sendPreflight(reply: ServerResponse, message: IncomingMessage, methods: readonly string[]): void {
  if (methods.length === 0) throw new Problem('route_not_found');
  const wanted = message.headers['access-control-request-headers'];
  const headers = ['PAYMENT-SIGNATURE', 'X-PAYMENT', ...(typeof wanted === 'string' ? [wanted] : [])].join(', ');
  sendWhole(
    reply,
    204,
    {
      allow: [...methods, 'OPTIONS'].join(', '),
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': headers,
      'access-control-max-age': '600',
      vary: 'Access-Control-Request-Headers',
    },
    '',
  );
}
