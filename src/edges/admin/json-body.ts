import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/shared/problem.js';

/** As JSON escapes them: a NUL, or half of a pair. Unescaped, neither can be in a JSON text that came as UTF-8. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i;

/**
 * Bodies of the control plane, as the framework reads them, but nothing at all is no broken JSON: many clients name
 * `application/json` with every request, those without a body included. What is no Unicode text (RFC 7493 section 2.1), or holds a
 * NUL, is refused here, for members and values alike: neither can be stored.
 */
export function takeEmptyJson(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else if (SUSPECT.test(body) && !isStorable(body)) done(new Problem('invalid_request', UNSTORABLE));
    else parse(request, body, done);
  });
}

const UNSTORABLE = 'body: a text holds a NUL or half of a surrogate pair';

/** True as well for what is no JSON: that is for the parser to say. */
function isStorable(body: string): boolean {
  try {
    let storable = true;
    JSON.parse(body, (name, value: unknown) => {
      storable &&= isText(name) && (typeof value !== 'string' || isText(value));
      return value;
    });
    return storable;
  } catch {
    return true;
  }
}

function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
