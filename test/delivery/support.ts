import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpstreamRequest } from '../../src/edges/gateway/upstream/upstream.js';

export const SECRET = 'upstream secret of the spec';

export interface TestServer {
  readonly url: string;
  /** Connections made to it so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** An HTTP server on a free port of 127.0.0.1. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

let payments = 0;

/** A request that is fine but for what the spec changes; each has a payment id of its own. */
export function request(origin: string, path: string, changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  payments += 1;
  return {
    origin,
    path,
    method: 'GET',
    allowPrivate: true,
    rawHeaders: [],
    passAuthorization: true,
    body: Buffer.alloc(0),
    requestId: `req_${payments}`,
    stamp: {
      payment: `pay_${String(payments).padStart(32, '0')}`,
      payer: '0x1111111111111111111111111111111111111111',
      amount: '1000',
      asset: 'eip155:84532/erc20:0x036cbd53842c5426634e7929541ec2318f3dcf7e',
      timestamp: Math.floor(Date.now() / 1000),
    },
    secret: SECRET,
    timeouts: { headers: 10_000, bodyIdle: 10_000, total: 20_000 },
    ...changes,
  };
}
