import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { parseItem } from 'structured-headers';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';

const LENGTH_MAX = 255;
/** As many clients send it, without quotes. No comma and no blank, so that two fields are never taken for one. */
const BARE = /^[\x21\x23-\x2b\x2d-\x7e]+$/;
const STRING = /^[\x20-\x7e]+$/;

/** What one request does, as far as keys are concerned. */
export interface KeyedRequest {
  /** Says who asked, with which method, for what, under which key; the key is not in it. */
  readonly id: string;
  /** Of all that was asked: the same request again has the same one. */
  readonly fingerprint: string;
  readonly key: string;
}

/**
 * The value of `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a structured field string (RFC 9651 section
 * 3.3.3), or the same characters without quotes. `undefined` if it was not sent.
 *
 * @throws Problem `idempotency_key_invalid`
 */
export function idempotencyKeyOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const field = headers['idempotency-key'];
  if (field === undefined) return undefined;
  const key = typeof field === 'string' ? readKey(field.trim()) : undefined;
  if (key === undefined || key.length > LENGTH_MAX) throw new Problem('idempotency_key_invalid');
  return key;
}

/** Keys are the caller's own, for one method and path; what else was sent goes into the fingerprint. */
export function keyedRequest(request: FastifyRequest, key: string): KeyedRequest {
  const { body, headers, method, url } = request;
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const conditions = [headers['if-match'] ?? '', headers['if-none-match'] ?? ''];
  return {
    id: digest([headers.authorization ?? '', method, path, key]),
    fingerprint: digest([query, ...conditions, body === undefined ? '' : canonical(body)]),
    key,
  };
}

function readKey(field: string): string | undefined {
  if (BARE.test(field)) return field;
  try {
    const [value] = parseItem(field);
    return typeof value === 'string' && STRING.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function canonical(body: unknown): string {
  try {
    return canonicalJson(body as Json);
  } catch {
    throw new Problem('invalid_request', 'body: nested too deeply');
  }
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
