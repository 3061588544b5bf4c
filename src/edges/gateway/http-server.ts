import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem } from '../../base/shared/problem.js';
import { asProblem } from '../problem.js';
import type { DataPlane } from './data-plane.js';
import { readBody } from './read-body.js';
import { sendProblem } from './reply.js';

/** Longest time to send the head of a request, and the whole request, in milliseconds. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;
/** Longer than load balancers keep idle connections, so that they, not we, close them; milliseconds. */
const KEEP_ALIVE_MS = 72_000;

/** Paths of our own controllers. Everything else belongs to the tenants. */
const OWN_PATH = /^\/(?:health|receipts|\.well-known|facilitator|discovery)(?:[/?]|$)/;

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
  const server = createServer((message, reply) => {
    if (draining()) reply.shouldKeepAlive = false;
    if (OWN_PATH.test(message.url ?? '')) controllers(message, reply);
    else if (draining()) sendProblem(reply, new Problem('shutting_down'));
    else void servePriced(dataPlane, message, reply);
  });
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('clientError', onClientError);
  return server;
}

async function servePriced(dataPlane: Pick<DataPlane, 'handle'>, message: IncomingMessage, reply: ServerResponse) {
  try {
    const body = readBody(message);
    await dataPlane.handle(message, reply, body instanceof Promise ? await body : body);
  } catch (error) {
    // What is left of the body would be read as the next request.
    reply.shouldKeepAlive = false;
    sendProblem(reply, asProblem(error));
  }
}

/** A request that Node could not even parse: say so as problem details, then close. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
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
