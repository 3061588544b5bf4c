import type { FastifyInstance } from 'fastify';

/** Bytes of a file. */
const CSV_MAX = 5_242_880;

/** Files of comma-separated values come as they are, up to 5 MB. */
export function takeCsv(fastify: FastifyInstance): void {
  fastify.addContentTypeParser('text/csv', { parseAs: 'buffer', bodyLimit: CSV_MAX }, (_request, body, done) => {
    done(null, body);
  });
}
