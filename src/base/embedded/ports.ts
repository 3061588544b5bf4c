import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that systems hand to outgoing connections, so that a remembered port is likely free again. */
const FIRST = 20_000;
const LAST = 29_999;
const ATTEMPTS = 200;

/** Is nobody listening on this port of 127.0.0.1? */
export async function isFree(port: number): Promise<boolean> {
  return (await listenError(port, '127.0.0.1')) === undefined;
}

/**
 * Asks before anything is started whether a server of ours could listen there.
 *
 * @param variable sets the port; for the message
 * @param host where; every address of this machine if absent
 * @throws if somebody else listens there, or the host or port is not for us
 */
export async function assertCanListen(variable: string, port: number, host?: string): Promise<void> {
  const error = await listenError(port, host);
  if (error === undefined) return;
  if (error.code !== 'EADDRINUSE') throw new Error(`${variable} cannot be used: ${error.message}`);
  throw new Error(`Port ${port} is in use by another program. Set ${variable} to another one.`);
}

function listenError(port: number, host?: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * Ports for engines: the remembered one where it is still free, otherwise a random free one.
 *
 * @param remembered from the last start, by engine
 * @param taken ports that must be left to others
 */
export async function choosePorts<Name extends string>(
  names: readonly Name[],
  remembered: Partial<Record<Name, number>>,
  taken: readonly number[],
): Promise<Record<Name, number>> {
  const used = new Set(taken);
  const chosen = {} as Record<Name, number>;
  for (const name of names) {
    const before = remembered[name];
    const keep = before !== undefined && !used.has(before) && (await isFree(before));
    chosen[name] = keep ? before : await randomPort(used);
    used.add(chosen[name]);
  }
  return chosen;
}

async function randomPort(used: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (!used.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`);
}
