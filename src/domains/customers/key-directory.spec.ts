import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DIRECTORY_PATH, directoryUrl, KeyDirectories, keysIn } from './key-directory.js';

const NOW = Date.UTC(2026, 0, 2);
const made = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as { x: string };
const directories = new KeyDirectories();
const servers: Server[] = [];

afterAll(async () => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  await directories.close();
});

/** The origin of a server that answers so. */
async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const readAt = (origin: string, allowPrivate = true) =>
  directories.read({ url: origin + DIRECTORY_PATH, allowPrivate }, NOW);

describe('a key directory', () => {
  it('is asked for at its well-known path, and gives its Ed25519 keys that count now', async () => {
    const [good, early, late] = [made(), made(), made()];
    const keys = [
      { ...good, kid: 'mine', use: 'sig', nbf: NOW / 1000 - 1, exp: NOW / 1000 + 1 },
      { ...early, nbf: NOW / 1000 + 1 },
      { ...late, exp: NOW / 1000 },
      { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
      'no key',
      null,
    ];
    const asked: unknown[] = [];
    const origin = await serving(({ headers, url }, reply) => {
      asked.push(url, headers.accept);
      reply.end(JSON.stringify({ keys }));
    });
    expect(await readAt(origin)).toEqual([{ kty: 'OKP', crv: 'Ed25519', x: good.x }]);
    expect(asked).toEqual([DIRECTORY_PATH, expect.stringContaining('http-message-signatures-directory+json')]);
  });

  it.each<[string, RequestListener]>([
    ['it answered 302', (_, reply) => reply.writeHead(302, { location: '/elsewhere' }).end()],
    ['it answered 404', (_, reply) => reply.writeHead(404).end()],
    ['it is larger than', (_, reply) => reply.end(JSON.stringify({ keys: [], padding: 'x'.repeat(70_000) }))],
    ['it is no key set', (_, reply) => reply.end('<html>')],
    ['it is no key set', (_, reply) => reply.end('{"keys":{}}')],
    ['it is no key set', (_, reply) => reply.end(JSON.stringify({ keys: new Array(101).fill({}) }))],
    ['it has no Ed25519 key', (_, reply) => reply.end('{"keys":[]}')],
    ['it could not be reached', (_, reply) => reply.destroy()],
    ['it took longer', (_, reply) => void reply.write('{"keys":[')],
  ])(
    'is not taken: %s',
    async (words, answer) => {
      await expect(readAt(await serving(answer))).rejects.toMatchObject({
        ...{ code: 'key_directory_unreadable', detail: expect.stringContaining(words) },
      });
    },
    20_000,
  );

  it('is not asked at an address that is not public, unless the operator says so', async () => {
    let asked = 0;
    const origin = await serving((_, reply) => {
      asked++;
      reply.end();
    });
    await expect(readAt(origin, false)).rejects.toMatchObject({ detail: 'it is at an address that is not public' });
    expect(asked).toBe(0);
  });

  it('has an origin that may be called', () => {
    expect(directoryUrl('https://agent.example.com', false)).toBe(`https://agent.example.com${DIRECTORY_PATH}`);
    expect(directoryUrl('http://127.0.0.1:9000', true)).toBe(`http://127.0.0.1:9000${DIRECTORY_PATH}`);
    for (const origin of [
      'http://agent.example.com',
      'https://a.example.com/path',
      'https://u:p@a.example.com',
      'ftp://a',
      '',
    ])
      expect([origin, directoryUrl(origin, false)]).toEqual([origin, undefined]);
  });

  it('repeats nothing of what it read', () => {
    expect(() => keysIn('{"secret": 1', NOW)).toThrow(/^it is no key set/);
  });
});
