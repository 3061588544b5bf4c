import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyStamp } from '../gateway/upstream/upstream-signature.js';
import * as content from './content.js';
import { failures } from './failures.js';
import { type DemoHandler, type DemoRequest, sendJson } from './reply.js';

export interface DemoUpstreamOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** The demo tenant's upstream secret. */
  readonly secret: string;
}

export interface DemoUpstream {
  readonly url: string;
  /** Ends open connections too. */
  stop(): Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024;
/** Runs are counted for the latest payments only, so that a long bench does not fill the memory. */
const PAYMENTS_COUNTED = 200_000;

const handlers: ReadonlyMap<string, DemoHandler> = new Map([
  ['GET /weather', content.weather],
  ['GET /files/report.txt', content.report],
  ['POST /query', content.query],
  ['POST /completions', content.completions],
  ['GET /slow', content.slow],
  ...failures,
]);

/** The API that the demo tenant sells, on 127.0.0.1: it answers only requests stamped by Tollbook, and counts its runs per payment. */
export async function startDemoUpstream({ port, secret }: DemoUpstreamOptions): Promise<DemoUpstream> {
  const runs = new Map<string, number>();
  const server = createServer((incoming, reply) => {
    serve(incoming, reply, secret, runs).catch((error: Error) => reply.destroy(error));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

async function serve(
  incoming: IncomingMessage,
  reply: ServerResponse,
  secret: string,
  runs: Map<string, number>,
): Promise<void> {
  const url = incoming.url ?? '/';
  const queryAt = url.indexOf('?');
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  if (path === '/_runs') return sendJson(reply, 200, JSON.stringify(Object.fromEntries(runs)));
  const stamp = verifyStamp(incoming.headers, secret, Date.now());
  if (!stamp) return sendJson(reply, 401, '{"error":"not sent by Tollbook"}');
  const runId = randomBytes(8).toString('hex');
  const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
  const handler = handlers.get(`${method} ${path}`);
  if (!handler) return sendJson(reply, 404, `{"runId":"${runId}","error":"no such page"}`);
  countRun(runs, stamp.payment);
  const request: DemoRequest = {
    runId,
    query: new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt + 1)),
    body: method === 'GET' ? '' : await readBody(incoming),
  };
  await handler(request, reply);
}

function countRun(runs: Map<string, number>, payment: string): void {
  runs.set(payment, (runs.get(payment) ?? 0) + 1);
  if (runs.size > PAYMENTS_COUNTED) runs.delete(runs.keys().next().value!);
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Error('the body is too large');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
