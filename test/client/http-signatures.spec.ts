import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { createSignature, verifySignature } from 'http-message-sig';
import { httpbis } from 'http-message-signatures';
import { importKey, signRequest } from '../../packages/client/src/sign-request.js';
import { readCommitmentSignature, staleness } from '../../src/base/x402/commitment-signature.js';
import { isSignedWith } from '../../src/base/x402/request-signature.js';

/** Two libraries of others, which share no code: `http-message-signatures` and Cloudflare's `http-message-sig`. */

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const TAG = 'tollbook-commitment';
const COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-digest', 'payment-signature'];
const body = Buffer.from('{"query":"select 1"}');
const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
const payment = Buffer.from('{"x402Version":2}').toString('base64');

interface Request {
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
  readonly headers: Record<string, string>;
}

const requests: readonly Pick<Request, 'method' | 'url' | 'body'>[] = [
  { method: 'POST', url: 'https://api.example.com/demo/query?limit=2&name=%C3%A9', body },
  { method: 'GET', url: 'http://localhost:4020/demo/weather', body: Buffer.alloc(0) },
  { method: 'DELETE', url: 'http://localhost:4020/', body: Buffer.alloc(0) },
];

async function byOurClient(request: (typeof requests)[number], now = Date.now()): Promise<Request> {
  const key = await importKey(privateKey.export({ format: 'jwk' }) as object, 'k1');
  return { ...request, headers: await signRequest(key, { ...request, payment }, now) };
}

/** As the gateway reads it off the wire. */
function received({ body: sent, headers, method, url }: Request): boolean {
  const { host, pathname, search } = new URL(url);
  const rawHeaders = Object.entries(headers).flat();
  const message = { method, authority: host, path: pathname, query: search, rawHeaders };
  const signature = readCommitmentSignature(message, sent);
  expect(signature.keyId).toBe('k1');
  return staleness(signature, Date.now()) === undefined && isSignedWith(publicKey, signature);
}

const verifiers: Record<string, (request: Request) => Promise<boolean>> = {
  'http-message-signatures': async ({ headers, method, url }) => {
    const key = {
      algs: ['ed25519'],
      verify: async (data: Buffer, made: Buffer) => verify(null, data, publicKey, made),
    };
    const requiredFields = COMPONENTS.filter((name) => name !== 'content-digest' || 'content-digest' in headers);
    const requiredParams = ['created', 'expires', 'nonce', 'keyid', 'tag'];
    const config = { keyLookup: async () => key, requiredFields, requiredParams, maxAge: 30 };
    return (await httpbis.verifyMessage(config, { method, url, headers })) === true;
  },
  'http-message-sig': async ({ headers, method, url }) => {
    const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const requiredComponents = COMPONENTS.filter((name) => name !== 'content-digest' || 'content-digest' in headers);
    const requiredParameters = ['created', 'expires', 'nonce', 'keyid', 'tag'];
    const verifier = {
      algorithm: 'ed25519',
      verify: (data: Uint8Array, made: Uint8Array) => verify(null, data, publicKey, made),
    };
    try {
      await verifySignature(
        { kind: 'request', method, targetUri: url, fields },
        {
          policy: { algorithms: ['ed25519'], requiredComponents, requiredParameters, maxAge: 30 },
          resolveVerifier: () => verifier,
        },
      );
      return true;
    } catch {
      return false;
    }
  },
};

const signers: Record<string, (request: (typeof requests)[number]) => Promise<Request>> = {
  'http-message-signatures': async (request) => {
    const key = { id: 'k1', alg: 'ed25519', sign: async (data: Buffer) => sign(null, data, privateKey) };
    const params = ['created', 'expires', 'nonce', 'keyid', 'tag', 'alg'];
    const now = Math.floor(Date.now() / 1000) * 1000;
    const times = { created: new Date(now), expires: new Date(now + 30_000) };
    const paramValues = { ...times, nonce: randomBytes(16).toString('hex'), tag: TAG };
    const { fields, headers } = unsigned(request);
    const signed = await httpbis.signMessage({ key, fields, params, paramValues }, { ...request, headers });
    return { ...request, headers: lowerCase(signed.headers as Record<string, string>) };
  },
  'http-message-sig': async (request) => {
    const { fields: components, headers } = unsigned(request);
    const created = Math.floor(Date.now() / 1000);
    const nonce = randomBytes(16).toString('base64');
    const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const { signature, signatureInput } = await createSignature(
      { kind: 'request', method: request.method, targetUri: request.url, fields },
      {
        components,
        parameters: { created, expires: created + 30, nonce, keyid: 'k1', tag: TAG },
        signer: { algorithm: 'ed25519', sign: (data) => sign(null, data, privateKey) },
      },
    );
    return { ...request, headers: { ...headers, signature, 'signature-input': signatureInput } };
  },
};

function unsigned({ body: sent }: (typeof requests)[number]) {
  const headers = { 'payment-signature': payment, ...(sent.length > 0 ? { 'content-digest': digest } : {}) };
  return { headers, fields: COMPONENTS.filter((name) => name.startsWith('@') || name in headers) };
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

describe.each(requests)('a commitment: $method $url', (request) => {
  it.each(Object.keys(verifiers))('that our client signed holds for %s', async (name) => {
    const made = await byOurClient(request);
    expect(await verifiers[name]!(made)).toBe(true);
    expect(await verifiers[name]!({ ...made, url: `${made.url}x` })).toBe(false);
    expect(await verifiers[name]!(await byOurClient(request, Date.now() - 40_000)).catch(() => false)).toBe(false);
  });

  it.each(Object.keys(signers))('that %s signed holds for us', async (name) => {
    const made = await signers[name]!(request);
    expect(received(made)).toBe(true);
    expect(received({ ...made, url: `${made.url}x` })).toBe(false);
  });
});
