import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { commitmentOf, payLater, TooDear } from '../../packages/client/src/pay-later.js';
import { readCommitmentSignature } from '../../src/base/x402/commitment-signature.js';
import { decodePayment, isCommitment } from '../../src/base/x402/payment-header.js';
import { encodeOffer } from '../../src/base/x402/payment-required.js';
import { encodeCommitment } from '../../src/base/x402/payment-response.js';
import { isSignedWith } from '../../src/base/x402/request-signature.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const key = privateKey.export({ format: 'jwk' }) as object;
const ADDRESS = `0x${'1'.repeat(40)}` as const;

/** What a seller offers: the official scheme first, then the commitment. */
function offer(host: string, pathname: string) {
  const commitment = { currency: 'USD', decimals: 6, payTo: 'demo', maxTimeoutSeconds: 60 };
  const extra = { name: 'USDC', version: '2', quote: 'q1.quote' };
  const exact = { network: 'eip155:84532', asset: ADDRESS, payTo: ADDRESS, maxTimeoutSeconds: 60, extra } as const;
  const resource = { url: `http://${host}${pathname}`, description: '', mimeType: 'text/plain' };
  const accepts = [{ ...exact, amount: 1500n }];
  return encodeOffer({ resource, accepts, ...(pathname === '/instant' ? {} : { commitment }), extensions: {} });
}

const answered = { commitment: 'com_1', customer: 'cus_1', charged: 1200n, held: 1500n };
let seller: Server;
let origin: string;
let seen: { readonly url: string; readonly nonce?: string; readonly body: string }[];

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  const { pathname, search } = new URL(request.url!, origin);
  const payment = decodePayment(request.headers as Record<string, string>);
  if (payment === undefined) {
    seen.push({ url: request.url!, body: body.toString() });
    const { body: json, headers } = offer(request.headers.host!, pathname);
    response.writeHead(402, headers).end(json);
    return;
  }
  const { method, rawHeaders } = request;
  const message = { method: method!, authority: request.headers.host!, path: pathname, query: search, rawHeaders };
  const signature = readCommitmentSignature(message, body);
  const attempts = seen.filter(({ nonce }) => nonce === signature.nonce).length;
  seen.push({ url: request.url!, nonce: signature.nonce, body: body.toString() });
  if (pathname === '/broken' && attempts === 0) return void response.destroy();
  if (pathname === '/moved') return void response.writeHead(307, { location: '/elsewhere' }).end();
  const good = isCommitment(payment) && payment.payload.customer === 'cus_1' && isSignedWith(publicKey, signature);
  response.writeHead(good ? 200 : 400, encodeCommitment(answered)).end(`served ${body}`);
}

beforeAll(async () => {
  seller = createServer((request, response) => {
    serve(request, response).catch((error: Error) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => seller.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(seller.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => seller.close(resolve)));
beforeEach(() => {
  seen = [];
});

const pay = payLater(fetch, { key, customer: 'cus_1' });

describe('payLater', () => {
  it('signs what it is asked for, and says what that came to', async () => {
    const answer = await pay(`${origin}/query?limit=2`, { method: 'POST', body: 'select 1' });
    expect([answer.status, await answer.text()]).toEqual([200, 'served select 1']);
    expect(commitmentOf(answer)).toEqual({ id: 'com_1', charged: 1200n, held: 1500n });
    expect(seen.map(({ body, url }) => [url, body])).toEqual([
      ['/query?limit=2', 'select 1'],
      ['/query?limit=2', 'select 1'],
    ]);
  });

  it('signs with another nonce each time', async () => {
    await Promise.all([pay(`${origin}/weather`), pay(`${origin}/weather`)]);
    const nonces = seen.flatMap(({ nonce }) => nonce ?? []);
    expect(new Set(nonces).size).toBe(2);
  });

  it('sends the very same request again when the connection breaks, once', async () => {
    expect((await pay(`${origin}/broken`, { method: 'POST', body: 'once' })).status).toBe(200);
    const signed = seen.filter(({ nonce }) => nonce !== undefined);
    expect(signed).toHaveLength(2);
    expect(signed[0]).toEqual(signed[1]);
  });

  it('hands back what cannot be paid so, and a redirect of what it signed', async () => {
    const instant = await pay(`${origin}/instant`);
    expect([instant.status, commitmentOf(instant)]).toEqual([402, undefined]);
    const moved = await pay(`${origin}/moved`);
    expect([moved.status, moved.headers.get('location')]).toEqual([307, '/elsewhere']);
    expect(seen.some(({ url }) => url === '/elsewhere')).toBe(false);
  });

  it('signs nothing that is dearer than it may be', async () => {
    const careful = (maxAmount: bigint) => payLater(fetch, { key, customer: 'cus_1', maxAmount });
    await expect(careful(1499n)(`${origin}/weather`)).rejects.toThrow(TooDear);
    expect(seen.filter(({ nonce }) => nonce !== undefined)).toEqual([]);
    expect((await careful(1500n)(`${origin}/weather`)).status).toBe(200);
  });

  it('says what is wrong with a key', async () => {
    const { d: _, ...open } = key as Record<string, string>;
    await expect(payLater(fetch, { key: open, customer: 'cus_1' })(origin)).rejects.toThrow(TypeError);
    await expect(payLater(fetch, { key, keyId: 'a "b"', customer: 'cus_1' })(origin)).rejects.toThrow(TypeError);
  });
});
