import type { FastifyInstance } from 'fastify';

/**
 * Bodies of the control plane, as the framework reads them, but nothing at all is no broken JSON: many clients name
 * `application/json` with every request, those without a body included.
 */
export function takeEmptyJson(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else parse(request, body, done);
  });
}
