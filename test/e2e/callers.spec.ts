import { randomUUID } from 'node:crypto';
import { createSIWxPayload, encodeSIWxHeader } from '@x402/extensions/sign-in-with-x';
import type { LocalAccount } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, newBuyer, offerOf, present, sign, withPayment } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

let app: App;
let other: App;
let upstream: CountingUpstream;
let seen: string[];
let books: Books;

beforeAll(async () => {
  upstream = await countingUpstream((message, reply) => {
    seen = message.rawHeaders.map((text) => text.toLowerCase());
    reply.setHeader('content-type', 'application/json').end('{}');
  });
  app = await startApp({ env: { LOG_LEVEL: 'trace' } });
  other = await startSibling(app, 'gateway');
  books = new Books(app.engines);
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'shop', host: '127.0.0.1', upstream: upstream.url })),
    new PublishTariff('shop', 'flat', flat('1000')),
    new PublishRoute(routeWith({ id: 'thing', tenant: 'shop' })),
  ]);
  for (const gateway of [app, other]) await eventually(() => ask({ url: thing(gateway) }));
});

afterAll(async () => {
  await books?.close();
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

const thing = ({ gateway }: App) => `${gateway.replace('localhost', '127.0.0.1')}/thing`;
const keysPath = (payer: string) => `/customers/shop/${payer}/keys`;

async function issue(payer: string, body: object = {}): Promise<{ readonly id: string; readonly key: string }> {
  const headers = { 'idempotency-key': randomUUID() };
  const reply = await admin(app, keysPath(payer), { method: 'POST', body, headers });
  expect(reply).toMatchObject({ status: 201 });
  return JSON.parse(reply.body);
}

const withKey = (key: string, gateway = app): Promise<Reply> =>
  send({ url: thing(gateway), headers: { 'tollbook-key': key } });

describe('a payer that is named', () => {
  it('gets a quote that is for it alone', async () => {
    const [named, another] = [await newBuyer(app, 10_000n), await newBuyer(app, 10_000n)];
    const call = { url: thing(app), headers: { 'tollbook-payer': addressOf(named) } };
    const offer = await ask(call);
    const refused = await present({ url: thing(app) }, await sign(another, offer));
    expect(offerOf(refused).error).toBe('quote_for_another_payer');
    expect(await books.admissionsOf(addressOf(another))).toBe(0);
    expect((await present({ url: thing(app) }, await sign(named, offer))).status).toBe(200);
  });

  it('may pay what was quoted to nobody, without saying anything', async () => {
    const buyer = await newBuyer(app, 10_000n);
    expect((await present({ url: thing(app) }, await sign(buyer, await ask({ url: thing(app) })))).status).toBe(200);
  });

  it('is refused at once if it is denied', async () => {
    const payer = `0x${'d1'.repeat(20)}`;
    const body = { standing: 'denied', reason: 'abuse' };
    expect((await admin(app, `/customers/shop/${payer}/standing`, { method: 'PUT', body })).status).toBe(200);
    const call = { url: thing(other), headers: { 'tollbook-payer': payer } };
    await eventually(async () => {
      const reply = await send(call);
      return reply.status === 403 && codeOf(reply) === 'payer_denied';
    });
  });

  it.each([
    ['no address', { 'tollbook-payer': 'me' }, 400, 'invalid_request'],
    ['a key of nobody', { 'tollbook-key': `tbk_${'a'.repeat(40)}` }, 401, 'invalid_customer_key'],
    ['no sign-in', { 'sign-in-with-x': 'bm9uZQ==' }, 401, 'invalid_sign_in'],
  ])('is not asked for the list price with %s', async (_what, headers: Record<string, string>, status, code) => {
    const reply = await send({ url: thing(app), headers });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
    if (status === 401) expect(reply.headers['www-authenticate']).toEqual(expect.any(String));
  });
});

describe('a key', () => {
  it('names its customer, is shown once, and is nowhere to be read again', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const { id, key } = await issue(addressOf(buyer));
    const offer = offerOf(await withKey(key, other));
    expect((await present({ url: thing(app) }, await sign(buyer, offer))).status).toBe(200);
    const listed = await admin(app, keysPath(addressOf(buyer)));
    expect(JSON.parse(listed.body)).toMatchObject({ data: [{ id, expires_at: null }] });
    await eventually(async () => {
      const { data } = JSON.parse((await admin(app, keysPath(addressOf(buyer)))).body);
      return data[0].last_used_at !== null;
    });
    for (const text of [listed.body, await books.textOf('customer_keys'), await books.textOf('events'), app.output()]) {
      expect(text).not.toContain(key.slice(4, 40));
    }
  });

  it('is good for its own tenant only', async () => {
    const { key } = await issue(`0x${'e1'.repeat(20)}`);
    const reply = await send({ url: `${app.gateway}/demo/weather`, headers: { 'tollbook-key': key } });
    expect([reply.status, codeOf(reply)]).toEqual([401, 'invalid_customer_key']);
  });

  it('may be good for some routes only, and is refused on another one', async () => {
    const payer = `0x${'e3'.repeat(20)}`;
    const [good, other] = [await issue(payer, { routes: ['thing'] }), await issue(payer, { routes: ['elsewhere'] })];
    expect((await withKey(good.key)).status).toBe(402);
    const refused = await withKey(other.key);
    expect([refused.status, codeOf(refused)]).toEqual([403, 'key_out_of_scope']);
  });

  it('never reaches the provider, and neither does any other name of the caller', async () => {
    const buyer = (await newBuyer(app, 100_000n)) as PrivateKeyAccount;
    const { key } = await issue(addressOf(buyer));
    const ways: Record<string, string>[] = [
      { 'Tollbook-Key': key },
      { 'Tollbook-Payer': addressOf(buyer) },
      { 'SIGN-IN-WITH-X': await signIn(buyer) },
    ];
    for (const headers of ways) {
      const call = { url: thing(app), headers };
      const paid = await send(withPayment(call, await sign(buyer, await ask(call))));
      expect(paid.status).toBe(200);
      const [[name, value]] = Object.entries(headers) as [[string, string]];
      // What the gateway says about the payer is its own, and said once.
      const own = name === 'Tollbook-Payer' ? 1 : 0;
      expect(seen.filter((text) => text === name.toLowerCase())).toHaveLength(own);
      expect(seen.filter((text) => text === value.toLowerCase())).toHaveLength(own);
    }
  });

  it('is rotated with an overlap, or at once', async () => {
    const payer = `0x${'e2'.repeat(20)}`;
    const first = await issue(payer);
    const rotate = async (id: string, body: object) => {
      const headers = { 'idempotency-key': randomUUID() };
      const reply = await admin(app, `${keysPath(payer)}/${id}/rotate`, { method: 'POST', body, headers });
      expect(reply.status).toBe(201);
      return JSON.parse(reply.body) as { id: string; key: string };
    };
    const second = await rotate(first.id, { overlap_seconds: 600 });
    expect([(await withKey(first.key)).status, (await withKey(second.key, other)).status]).toEqual([402, 402]);
    const third = await rotate(second.id, { overlap_seconds: 0 });
    const statuses = await Promise.all([first, second, third].map(async ({ key }) => (await withKey(key)).status));
    expect(statuses).toEqual([402, 401, 402]);
  });

  it('is no good from the answer to its revocation on, on every gateway, while it is used', async () => {
    const payer = `0x${'e3'.repeat(20)}`;
    const { id, key } = await issue(payer);
    const outcomes: { sentAt: number; status: number }[] = [];
    const lane = async (gateway: App): Promise<void> => {
      for (let refused = 0; refused < 3; ) {
        const sentAt = performance.now();
        const { status } = await withKey(key, gateway);
        if (status === 401) refused++;
        outcomes.push({ sentAt, status });
      }
    };
    const lanes = [app, other].flatMap((gateway) => [lane(gateway), lane(gateway), lane(gateway)]);
    await eventually(() => outcomes.length > 30);
    expect((await admin(app, `${keysPath(payer)}/${id}`, { method: 'DELETE' })).status).toBe(204);
    const answeredAt = performance.now();
    await Promise.all(lanes);
    const later = outcomes.filter(({ sentAt }) => sentAt > answeredAt);
    expect(later.length).toBeGreaterThan(0);
    expect(new Set(later.map(({ status }) => status))).toEqual(new Set([401]));
    expect((await admin(app, `${keysPath(payer)}/${id}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('ends when it says so', async () => {
    const expiresAt = Date.now() + 4_000;
    const { key } = await issue(`0x${'e4'.repeat(20)}`, { expires_at: new Date(expiresAt).toISOString() });
    expect((await withKey(key)).status).toBe(402);
    await eventually(async () => (await withKey(key)).status === 401, 20_000);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
  });

  it.each([
    [400, 'idempotency_key_required', {}, {}],
    [400, 'invalid_request', { expires_at: 'soon' }, { 'idempotency-key': 'k1' }],
    [400, 'invalid_request', { expires_at: '2020-01-01T00:00:00Z' }, { 'idempotency-key': 'k2' }],
  ])('is not issued: %i %s', async (status, code, body, headers: Record<string, string>) => {
    const reply = await admin(app, keysPath(`0x${'e5'.repeat(20)}`), { method: 'POST', body, headers });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });
});

describe('a wallet that signs in', () => {
  it('is named by its signature', async () => {
    const buyer = (await newBuyer(app, 10_000n)) as PrivateKeyAccount;
    const offer = await ask({ url: thing(other), headers: { 'sign-in-with-x': await signIn(buyer) } });
    const stranger: LocalAccount = await newBuyer(app, 10_000n);
    const refused = await present({ url: thing(other) }, await sign(stranger, offer));
    expect(offerOf(refused).error).toBe('quote_for_another_payer');
    expect((await present({ url: thing(other) }, await sign(buyer, offer))).status).toBe(200);
  });
});

/** As the official client signs in. */
async function signIn(account: PrivateKeyAccount): Promise<string> {
  const uri = thing(app);
  const challenge = {
    ...{ domain: new URL(uri).host, uri, version: '1', nonce: randomUUID().replaceAll('-', '') },
    ...{ chainId: 'eip155:84532', type: 'eip191' as const, issuedAt: new Date().toISOString() },
  };
  return encodeSIWxHeader(await createSIWxPayload(challenge, account, uri));
}
