import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that systems hand to outgoing connections, so that a remembered port is likely free again. */
const FIRST = 20_000;
const LAST = 29_999;
const ATTEMPTS = 200;

/** Is nobody listening on this port of 127.0.0.1? */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
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
