import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../base/shared/problem.js';
import { OWN_PATH } from '../../domains/pricing/catalogue.schemas.js';
import type { DataPlane } from './data-plane.js';
import { sendProblem } from './reply.js';

/** Longest time to send the head of a request, and the whole request, in milliseconds. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;
/** Longer than load balancers keep idle connections, so that they, not we, close them; milliseconds. */
const KEEP_ALIVE_MS = 72_000;

export interface GatewayServerParts {
  /** Answers what controllers serve. */
  readonly controllers: RequestListener;
  readonly dataPlane: Pick<DataPlane, 'handle'>;
  /** True once the process was asked to stop. */
  readonly draining: () => boolean;
}

/**
 * One server for both: controllers through the framework, priced routes straight to the data plane, whose replies are
 * written by hand anyway.
 */
export function createGatewayServer({ controllers, dataPlane, draining }: GatewayServerParts): Server {
  // The data plane asks for exactly one Host field, and says so as a problem.
  const server = createServer({ requireHostHeader: false }, (message, reply) => {
    if (draining()) reply.shouldKeepAlive = false;
    if (OWN_PATH.test(message.url ?? '')) controllers(message, reply);
    else if (draining()) sendProblem(reply, new Problem('shutting_down'));
    else void dataPlane.handle(message, reply);
  });
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('clientError', onClientError);
  server.on('checkExpectation', (_message, reply: ServerResponse) => {
    sendProblem(reply, new Problem('invalid_request', 'Expect: only 100-continue is understood'));
  });
  return server;
}

/** Before a controller is found: a path that cannot be decoded, or a segment too long. The framework's words would repeat it. */
export function sendFrameworkError(_error: unknown, _request: unknown, reply: FastifyReply): void {
  reply.hijack();
  sendProblem(reply.raw, new Problem('invalid_request'));
}

/** Node's own mark of the reply that a connection is busy with. */
type ReplyingSocket = Socket & { readonly _httpMessage?: ServerResponse };

/** How long what a client still sends after such an answer is read and thrown away, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * A request that Node could not even parse: say so as problem details, then close. In the middle of an earlier
 * request's answer these words would become a part of it, so then the connection is cut instead. Cut while the client
 * still sends, a connection is reset, which can take the answer with it.
 */
function onClientError(error: NodeJS.ErrnoException, socket: ReplyingSocket): void {
  if (socket.writableEnded) return;
  if (!socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const [status, phrase] = tooLarge ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
  const problem = new Problem(tooLarge ? 'payment_header_too_large' : 'invalid_request');
  const body = JSON.stringify({ ...problem.toJSON(), status });
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
