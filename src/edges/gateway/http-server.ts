import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/shared/problem.js';
import { asProblem } from '../problem.js';
import type { DataPlane } from './data-plane.js';
import { sendProblem } from './reply.js';

/** Longest request body that is read at all, in bytes; routes may take less. */
export const BODY_BYTES_MAX = 10 * 1024 * 1024;
/** Longest time to send the head of a request, in milliseconds. */
const HEADERS_MS = 15_000;

/**
 * Everything that no controller serves is the data plane's. Bodies stay bytes: prices, digests and upstreams need them
 * as they were sent.
 */
export function serveDataPlane(fastify: FastifyInstance, dataPlane: DataPlane): void {
  fastify.server.headersTimeout = HEADERS_MS;
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  fastify.all(
    '/*',
    {
      errorHandler: (error, _request, reply) => {
        reply.hijack();
        sendProblem(reply.raw, asProblem(error));
      },
    },
    (request, reply) => {
      reply.hijack();
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      void dataPlane.handle(request.raw, reply.raw, body);
    },
  );
}

/** A request that Node could not even parse: say so as problem details, then close. */
export function onClientError(error: NodeJS.ErrnoException, socket: import('node:net').Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const problem = new Problem(tooLarge ? 'payment_header_too_large' : 'invalid_request');
  const body = JSON.stringify(problem);
  const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
