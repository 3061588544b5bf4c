import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Expected } from '../../base/event-store/expected.js';
import { Problem } from '../../base/shared/problem.js';

/** RFC 9110 section 8.8.3; a list of them, or `*`, is what conditions hold. */
const TAG = '(?:W/)?"[\\x21\\x23-\\x7e]*"';
const LIST = new RegExp(`^${TAG}(?:[ \\t]*,[ \\t]*${TAG})*$`);
const OURS = /^"([1-9][0-9]{0,8})"$/;

/** Strong: a resource has one representation for each version of its stream. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Tells the resource's version with the answer. `true` if the client has that one already (`If-None-Match`, RFC 9110 section
 * 13.1.2): then the status is 304 and there is nothing more to send.
 */
export function tagged(request: FastifyRequest, reply: FastifyReply, version: number): boolean {
  void reply.header('ETag', etagOf(version));
  const known = request.headers['if-none-match'];
  if (request.method !== 'GET' || known === undefined) return false;
  const weak = tagsOf('If-None-Match', known).map((tag) => tag.replace(/^W\//, ''));
  if (!weak.includes('*') && !weak.includes(etagOf(version))) return false;
  void reply.status(304);
  return true;
}

/**
 * What a write expects to find: `If-Match: "3"` one version, `If-Match: *` any, `If-None-Match: *` nothing. Weak and foreign
 * tags match nothing (strong comparison, RFC 9110 section 13.1.1).
 *
 * @param otherwise what a write without a condition expects
 */
export function expectedBy({ headers }: FastifyRequest, otherwise: Expected | undefined): Expected | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && noneMatch !== undefined) {
    throw new Problem('invalid_request', 'If-Match and If-None-Match exclude each other; send one');
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === '*') return 'nothing';
    throw new Problem('invalid_request', 'If-None-Match: only * is a condition for a write');
  }
  if (match === undefined) return otherwise;
  const tags = tagsOf('If-Match', match);
  return tags[0] === '*' ? 'something' : tags.flatMap((tag) => OURS.exec(tag)?.[1] ?? []).map(Number);
}

function tagsOf(field: string, value: string): readonly string[] {
  const text = value.trim();
  if (text === '*') return [text];
  if (!LIST.test(text)) throw new Problem('invalid_request', `${field}: entity tags in double quotes, or *`);
  return text.match(new RegExp(TAG, 'g')) ?? [];
}
