import { getMaxListeners } from 'node:events';
import { isIP, type LookupFunction } from 'node:net';
import { UpstreamClient } from '../../src/edges/gateway/upstream/upstream-client.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { request, serve, type TestServer } from './support.js';

const patient = { headers: 10_000, bodyIdle: 10_000, total: 20_000 };

describe('an upstream that fails', () => {
  let client: UpstreamClient;
  let server: TestServer;

  beforeAll(async () => {
    client = new UpstreamClient({ connectionsMax: 8 });
    server = await serve((incoming, reply) => {
      switch (incoming.url) {
        case '/silent':
          break;
        case '/slammed':
          reply.destroy();
          break;
        case '/garbage':
          reply.socket?.end('this is no HTTP\r\n\r\n');
          break;
        case '/half':
          reply.writeHead(200, { 'content-length': 10 }).write('12345', () => reply.destroy());
          break;
        case '/half-then-silent':
          reply.writeHead(200, { 'content-length': 10 }).write('12345');
          break;
        case '/half-chunked':
          reply.writeHead(200).write('12345', () => reply.destroy());
          break;
        default:
          reply.writeHead(200, { 'content-length': 2 }).end('ok');
      }
    });
  });

  afterAll(async () => {
    await server.stop();
    await client.close();
  });

  it.each([
    ['/slammed', 'upstream_broke_off', {}],
    ['/garbage', 'upstream_broke_off', {}],
    ['/half', 'upstream_broke_off', {}],
    ['/silent', 'upstream_timeout', { headers: 50 }],
    ['/silent', 'upstream_timeout', { total: 50 }],
    ['/half-then-silent', 'upstream_timeout', { bodyIdle: 50 }],
    ['/half-then-silent', 'upstream_timeout', { total: 50 }],
  ])('GET %s is %s %o', async (path, failed, timeouts) => {
    const answer = await client.forward(request(server.url, path, { timeouts: { ...patient, ...timeouts } }));
    expect(answer).toMatchObject({ kind: 'failed', failed });
    expect(await client.forward(request(server.url, '/'))).toMatchObject({ kind: 'whole', status: 200 });
  });

  it('says so in the stream too, after the bytes that came', async () => {
    const answer = await client.forward(request(server.url, '/half-chunked'));
    if (answer.kind !== 'streamed') throw new Error(answer.kind);
    expect(await answer.body.next()).toEqual(Buffer.from('12345'));
    expect(await answer.body.next()).toMatchObject({ failed: 'upstream_broke_off' });
    expect(await answer.body.next()).toMatchObject({ failed: 'upstream_broke_off' });
  });

  it('is unreachable if nobody listens or the name is unknown', async () => {
    const closed = `http://127.0.0.1:${await freePort()}`;
    expect(await client.forward(request(closed, '/'))).toMatchObject({ failed: 'upstream_unreachable' });
    const lookup = ((_name, _options, callback) =>
      callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), [])) as LookupFunction;
    const strict = new UpstreamClient({ lookup });
    const answer = await strict.forward(request('http://nowhere.example', '/', { allowPrivate: false }));
    expect(answer).toMatchObject({ failed: 'upstream_unreachable' });
    await strict.close();
  });

  it('does not keep a request waiting for a connection beyond its total time', async () => {
    const ended = new AbortController();
    const busy = Array.from({ length: 8 }, () =>
      client.forward(request(server.url, '/silent', { signal: ended.signal })),
    );
    const late = await client.forward(request(server.url, '/', { timeouts: { ...patient, total: 50 } }));
    expect(late).toMatchObject({ failed: 'upstream_timeout' });
    ended.abort();
    for (const answer of await Promise.all(busy)) expect(answer).toMatchObject({ failed: 'aborted' });
  });

  it('is not called at all once we are shutting down', async () => {
    const connections = server.connections();
    const answer = await client.forward(request(server.url, '/', { signal: AbortSignal.abort() }));
    expect(answer).toMatchObject({ failed: 'aborted' });
    expect(server.connections() - connections).toBeLessThanOrEqual(1);
  });
});

describe('shutting down', () => {
  it('ends any number of exchanges by one signal', async () => {
    const server = await serve(() => {});
    const client = new UpstreamClient();
    const ended = new AbortController();
    const running = Array.from({ length: 20 }, () =>
      client.forward(request(server.url, '/', { signal: ended.signal })),
    );
    await eventually(() => server.connections() === 20);
    ended.abort();
    const answers = await Promise.all(running);
    await client.close();
    await server.stop();
    expect(new Set(answers.map((answer) => answer.kind === 'failed' && answer.failed))).toEqual(new Set(['aborted']));
    // Otherwise Node warns of a leak from the eleventh exchange on.
    expect(getMaxListeners(ended.signal)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('an upstream on a private address', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await serve((_, reply) => reply.writeHead(200, { 'content-length': 2 }).end('ok'));
  });

  afterAll(() => server.stop());

  it.each([
    '127.0.0.1',
    'localhost',
    '0x7f.1',
    '2130706433',
    '[::ffff:127.0.0.1]',
    '[::1]',
    '0.0.0.0',
    '169.254.169.254',
  ])('is refused as %s before anything is sent', async (host) => {
    const client = new UpstreamClient();
    const origin = `http://${host}:${new URL(server.url).port}`;
    const answer = await client.forward(request(origin, '/', { allowPrivate: false }));
    expect(answer).toMatchObject({ kind: 'failed', failed: 'upstream_forbidden' });
    expect(server.connections()).toBe(0);
    await client.close();
  });

  it('is refused when a name turns to it between two lookups', async () => {
    // The first is global unicast, so it passes, but it belongs to nobody.
    const addresses = ['2000::1', '127.0.0.1'];
    let asked = 0;
    const lookup = ((_name, _options, callback) => {
      const address = addresses[Math.min(asked, 1)]!;
      asked += 1;
      callback(null, [{ address, family: isIP(address) }]);
    }) as LookupFunction;
    const client = new UpstreamClient({ lookup, connectMs: 50 });
    const origin = `http://turning.example:${new URL(server.url).port}`;
    const first = await client.forward(request(origin, '/', { allowPrivate: false }));
    expect(first).toMatchObject({ failed: 'upstream_unreachable' });
    const second = await client.forward(request(origin, '/', { allowPrivate: false }));
    expect(second).toMatchObject({ failed: 'upstream_forbidden' });
    expect([asked, server.connections()]).toEqual([2, 0]);
    await client.close();
  });

  it('is called with permission, which does not open it to tenants without', async () => {
    const client = new UpstreamClient();
    expect(await client.forward(request(server.url, '/'))).toMatchObject({ kind: 'whole' });
    const other = await client.forward(request(server.url, '/', { allowPrivate: false }));
    expect(other).toMatchObject({ failed: 'upstream_forbidden' });
    await client.close();
  });
});
