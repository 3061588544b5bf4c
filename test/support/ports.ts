import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Handed out by this process: whoever asked for one may not listen on it yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on right now, and that was not given out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}
