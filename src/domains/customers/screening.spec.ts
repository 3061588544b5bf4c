import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import type { Address } from '../../base/shared/hex.js';
import { both, type Screening, ScreeningUnavailable, verdictOn } from './screening.port.js';
import { ListScreening, parseList } from './screening-list.js';
import { ServiceScreening } from './screening-service.js';

const CLEAR: Address = `0x${'c1'.repeat(20)}`;
const DENIED: Address = `0x${'de'.repeat(20)}`;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('a list of addresses', () => {
  let folder: string;
  let list: ListScreening;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tollbook-screening-'));
    list = new ListScreening(join(folder, 'list.txt'), quiet);
  });
  afterEach(async () => {
    await list.stop();
    rmSync(folder, { recursive: true });
  });

  it('has one a line, in any case, with comments', () => {
    expect([...parseList(`# sanctions\n\n${DENIED.toUpperCase().replace('0X', '0x')}  # since March\n`)]).toEqual([
      DENIED,
    ]);
  });

  it('is refused whole for one bad line, by number and without repeating it', () => {
    expect(() => parseList(`${DENIED}\n0x123\n`)).toThrow(/^screening list, line 2: not an address/);
  });

  it('must be there at the start', async () => {
    await expect(list.start()).rejects.toThrow('ENOENT');
  });

  it('is read again when it changes, and clears nobody while it cannot be read', async () => {
    const file = join(folder, 'list.txt');
    writeFileSync(file, DENIED);
    await list.start();
    expect([list.known(DENIED), list.known(CLEAR)]).toEqual(['denied', 'clear']);
    writeFileSync(file, `${DENIED}\n${CLEAR}\n`);
    await eventually(() => list.known(CLEAR) === 'denied');
    writeFileSync(file, 'not an address');
    await eventually(() => list.known(CLEAR) === undefined);
    await expect(list.screen(DENIED)).rejects.toThrow(ScreeningUnavailable);
    writeFileSync(file, '');
    await eventually(() => list.known(DENIED) === 'clear');
  });
});

describe('a service', () => {
  let server: Server;
  let answer: RequestListener;
  let asked: string[];
  let now: number;
  let service: ServiceScreening;

  beforeEach(async () => {
    asked = [];
    now = 1_000_000;
    answer = verdict('clear');
    server = createServer((message, reply) => {
      message.setEncoding('utf8').on('data', (body: string) => asked.push(body));
      message.on('end', () => answer(message, reply));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/screen`;
    service = new ServiceScreening({ url, timeoutMs: 300, freshMs: 60_000 }, () => now);
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const verdict =
    (word: string, more: object = {}): RequestListener =>
    (_, reply) => {
      const { address } = JSON.parse(asked.at(-1)!) as { address: string };
      reply.end(JSON.stringify({ address, verdict: word, ...more }));
    };

  it('is asked once for many, and its verdict stands until it expires', async () => {
    expect(await Promise.all([1, 2, 3].map(() => service.screen(CLEAR)))).toEqual(['clear', 'clear', 'clear']);
    expect(asked).toEqual([JSON.stringify({ address: CLEAR })]);
    now += 59_999;
    expect(service.known(CLEAR)).toBe('clear');
    now += 1;
    expect(service.known(CLEAR)).toBeUndefined();
    answer = verdict('denied', { valid_for_seconds: 5 });
    expect(await verdictOn(service, CLEAR)).toBe('denied');
    expect(service.known(CLEAR)).toBe('denied');
    now += 5_000;
    expect(service.known(CLEAR)).toBeUndefined();
  });

  const lies: [string, RequestListener][] = [
    ['says nothing in time', () => undefined],
    ['begins, and does not end', (_, reply) => void reply.write('{"address":')],
    ['hangs up', (message) => void message.socket.destroy()],
    ['fails', (_, reply) => void reply.writeHead(500).end('{}')],
    ['sends on', (_, reply) => void reply.writeHead(302, { location: '/elsewhere' }).end()],
    ['says no JSON', (_, reply) => void reply.end('clear')],
    ['says another word', (_, reply) => void reply.end(JSON.stringify({ address: CLEAR, verdict: 'fine' }))],
    ['speaks of another', (_, reply) => void reply.end(JSON.stringify({ address: DENIED, verdict: 'clear' }))],
    ['speaks of nobody', (_, reply) => void reply.end(JSON.stringify({ verdict: 'clear' }))],
    ['says too much', (_, reply) => void reply.end(`{"verdict":"clear","x":"${'x'.repeat(100_000)}"}`)],
  ];

  it.each(lies)('that %s clears nobody, and is asked again', async (_what, lie) => {
    answer = lie;
    await expect(service.screen(CLEAR)).rejects.toThrow(ScreeningUnavailable);
    expect(service.known(CLEAR)).toBeUndefined();
    answer = verdict('clear');
    expect(await service.screen(CLEAR)).toBe('clear');
  });
});

describe('two of them', () => {
  const says = (verdict: 'clear' | 'denied' | undefined): Screening => ({
    known: () => verdict,
    screen: () => (verdict ? Promise.resolve(verdict) : Promise.reject(new ScreeningUnavailable('away'))),
    start: async () => undefined,
    stop: async () => undefined,
  });

  it.each([
    ['clear', 'clear', 'clear'],
    ['clear', 'denied', 'denied'],
    ['denied', undefined, 'denied'],
    ['clear', undefined, 'away'],
    [undefined, 'clear', 'away'],
  ] as const)('of which one says %s and the other %s: %s', async (first, second, outcome) => {
    const verdict = await verdictOn(both(says(first), says(second)), CLEAR).catch((error: Error) => error.message);
    expect(verdict).toBe(outcome);
    expect(both(says(first), says(second)).known(CLEAR)).toBe(outcome === 'away' ? undefined : outcome);
  });
});
