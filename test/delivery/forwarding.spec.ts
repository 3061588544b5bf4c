import { gzipSync } from 'node:zlib';
import type { WholeAnswer } from '../../src/edges/gateway/upstream/upstream.js';
import { UpstreamClient } from '../../src/edges/gateway/upstream/upstream-client.js';
import { verifyStamp } from '../../src/edges/gateway/upstream/upstream-signature.js';
import { request, SECRET, serve, type TestServer } from './support.js';

const zipped = gzipSync('twelve degrees');

describe('forwarding to an upstream', () => {
  let client: UpstreamClient;
  let server: TestServer;

  beforeAll(async () => {
    client = new UpstreamClient();
    server = await serve(async (incoming, reply) => {
      switch (incoming.url) {
        case '/zipped':
          reply.writeHead(200, { 'content-encoding': 'gzip', 'content-length': zipped.length }).end(zipped);
          break;
        case '/moved':
          reply.writeHead(302, { location: '/zipped', 'content-length': 0 }).end();
          break;
        case '/empty':
          reply.writeHead(204).end();
          break;
        case '/hints':
          reply.writeEarlyHints({ link: '</style.css>; rel=preload' });
          reply.writeHead(200, { 'content-length': 4 }).end('late');
          break;
        default: {
          const chunks: Buffer[] = [];
          for await (const chunk of incoming) chunks.push(chunk as Buffer);
          const { method, url, headers } = incoming;
          const body = Buffer.concat(chunks).toString();
          const text = JSON.stringify({ method, url, headers, body, stamp: verifyStamp(headers, SECRET, Date.now()) });
          reply.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text);
        }
      }
    });
  });

  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  async function whole(path: string, changes = {}): Promise<WholeAnswer> {
    const answer = await client.forward(request(server.url, path, changes));
    if (answer.kind !== 'whole') throw new Error(`${answer.kind}, not whole`);
    return answer;
  }

  it('sends method, path and query, body, own host, request id and a valid stamp', async () => {
    const body = Buffer.from('{"query":"select 1"}');
    const sent = request(server.url, '/echo?a=1&a=%2F', { method: 'POST', body, rawHeaders: ['Host', 'pay.example'] });
    const answer = await client.forward(sent);
    const seen = JSON.parse((answer as WholeAnswer).body.toString());
    expect(seen).toMatchObject({ method: 'POST', url: '/echo?a=1&a=%2F', body: body.toString(), stamp: sent.stamp });
    expect(seen.headers).toMatchObject({
      host: new URL(server.url).host,
      'content-length': String(body.length),
      'x-request-id': sent.requestId,
    });
  });

  it('neither sends the payment nor lets the buyer name the payer', async () => {
    const rawHeaders = ['PAYMENT-SIGNATURE', 'p', 'X-PAYMENT', 'p', 'Tollbook-Payer', '0x2', 'tollbook_payer', '0x3'];
    const { headers } = JSON.parse((await whole('/echo', { rawHeaders })).body.toString());
    expect(headers['payment-signature'] ?? headers['x-payment'] ?? headers.tollbook_payer).toBeUndefined();
    expect(headers['tollbook-payer']).toBe('0x1111111111111111111111111111111111111111');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('sends an empty %s without waiting for a body', async (method) => {
    expect(JSON.parse((await whole('/echo', { method })).body.toString())).toMatchObject({ method, body: '' });
  });

  it('passes encoded bodies on untouched', async () => {
    const answer = await whole('/zipped', { rawHeaders: ['Accept-Encoding', 'gzip'] });
    expect(answer.body.equals(zipped)).toBe(true);
    expect(answer.headers).toContainEqual(['content-encoding', 'gzip']);
  });

  it('passes redirects on instead of following them', async () => {
    const answer = await whole('/moved');
    expect(answer.status).toBe(302);
    expect(answer.headers).toContainEqual(['location', '/zipped']);
  });

  it('knows answers without a body', async () => {
    expect(await whole('/empty')).toMatchObject({ status: 204, body: Buffer.alloc(0) });
    const head = await whole('/zipped', { method: 'HEAD' });
    expect(head.body.length).toBe(0);
    expect(head.headers).toContainEqual(['content-length', String(zipped.length)]);
  });

  it('waits for the final status', async () => {
    expect(await whole('/hints')).toMatchObject({ status: 200, body: Buffer.from('late') });
  });

  it('keeps its connection', async () => {
    await whole('/empty');
    const before = server.connections();
    for (let count = 0; count < 5; count++) await whole('/empty');
    expect(server.connections()).toBe(before);
  });
});
