import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingUpstream {
  readonly url: string;
  /** Requests that reached it. */
  runs(): number;
  stop(): Promise<void>;
}

/** A provider's server on a free port of 127.0.0.1. */
export async function countingUpstream(listener: RequestListener): Promise<CountingUpstream> {
  let runs = 0;
  const server = createServer((request, reply) => {
    runs += 1;
    listener(request, reply);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runs: () => runs,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
