import type { IncomingMessage } from 'node:http';
import type { Token } from '../../base/chain/chain.js';
import { Problem } from '../../base/shared/problem.js';
import type { Match } from '../../domains/pricing/host-router.js';
import { urgencyOf } from '../../domains/pricing/modifiers/urgency.js';
import type { Messages } from '../../domains/pricing/request/message-facts.js';
import { requestDigest } from '../../domains/pricing/request-digest.js';
import { messageParts } from './message-parts.js';
import type { AddressOf } from './public-address.js';

/** A request that matched a priced route, with its body read. */
export interface PaidCall extends Match {
  readonly message: IncomingMessage;
  readonly token: Token;
  readonly method: string;
  /** As sent, with its question mark, or empty. */
  readonly query: string;
  readonly body: Buffer;
  /** Absolute, at the tenant's public address, without the query: what offers and receipts name. */
  readonly resource: string;
  /** Base64url SHA-256 over method, path, query and body. */
  readonly digest: string;
  /** 0 (most urgent) to 7, from the `Priority` field. */
  readonly urgency: number;
  /** What tariffs read. */
  readonly messages: Messages;
  /** Of the route that pays an invoice: what is still to be paid by this request. */
  readonly due?: InvoiceDue;
}

export interface InvoiceDue {
  readonly customer: string;
  /** Atomic units of the tenant's token. */
  readonly amount: bigint;
}

export interface Target {
  readonly path: string;
  readonly query: string;
}

/** Splits a request target at its first question mark. */
export function splitTarget(target: string): Target {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark) };
}

/**
 * The one `Host` field (RFC 9112, section 3.2): with two, a proxy before us could mean another tenant than we do.
 * Empty for HTTP/1.0 without one. @throws Problem `invalid_request`
 */
export function hostOf({ headers, httpVersion, rawHeaders }: IncomingMessage): string {
  let fields = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.length === 4 && rawHeaders[at]!.toLowerCase() === 'host') fields++;
  }
  if (fields > 1 || (fields === 0 && httpVersion !== '1.0')) {
    throw new Problem('invalid_request', 'Send exactly one Host field');
  }
  return headers.host ?? '';
}

export function paidCall(
  match: Match,
  token: Token,
  message: IncomingMessage,
  { path, query }: Target,
  body: Buffer,
  addressOf: AddressOf,
): PaidCall {
  const method = message.method!;
  const priority = message.headers.priority;
  // Spelled out: spreading the match made this the dearest step of an offer.
  const { params, route, tenant, upstreamPath } = match;
  return {
    tenant,
    route,
    params,
    upstreamPath,
    message,
    token,
    method,
    query,
    body,
    resource: addressOf(tenant) + path,
    digest: requestDigest(method, path, query, body),
    urgency: urgencyOf(typeof priority === 'string' ? priority : undefined),
    messages: { request: messageParts(message, query, params, body) },
  };
}
