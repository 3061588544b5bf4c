import { randomUUID } from 'node:crypto';
import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, buy, newBuyer, type Payment, present, sign } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const CALLERS = 200;
const PRICE = 1000n;
const HOST = '127.0.0.1';

let app: App;
let other: App;
let upstream: CountingUpstream;
let buyers: LocalAccount[];

beforeAll(async () => {
  upstream = await countingUpstream((request, reply) => {
    reply.statusCode = request.url === '/fails' ? 500 : 200;
    // Where Tollbook stands with its provider.
    reply.setHeader('ratelimit', '"theirs";r=7;t=9');
    reply.setHeader('ratelimit-policy', '"theirs";q=10');
    reply.end('{"ok":true}');
  });
  app = await startApp();
  other = await startSibling(app, 'gateway');
  const route = (id: string) => new PublishRoute(routeWith({ tenant: 'limited', id }));
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'limited', host: HOST, upstream: upstream.url })),
    new PublishTariff('limited', 'flat', flat(PRICE.toString())),
    ...['goes', 'fails', 'other'].map(route),
  ]);
  buyers = await Promise.all(Array.from({ length: 4 }, () => newBuyer(app, 1_000_000_000n)));
  for (const buyer of buyers) for (const one of [app, other]) await eventually(() => buys(buyer, one), 20_000);
});

afterAll(async () => {
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

const at = ({ gateway }: App, route = 'goes') => ({ url: `http://${HOST}:${new URL(gateway).port}/${route}` });

async function buys(buyer: LocalAccount, where: App): Promise<true> {
  const { body, status } = await buy(buyer, at(where));
  if (status !== 200) throw new Error(`${status} ${body}`);
  return true;
}

async function put(id: string, rules: object): Promise<void> {
  const reply = await admin(app, `/limits/limited/${id}`, { method: 'PUT', body: rules });
  expect({ status: reply.status, body: reply.body }).toMatchObject({ status: 201 });
}

const withdraw = (id: string) => admin(app, `/limits/limited/${id}`, { method: 'DELETE' });

/** Both gateways show the limit in their answers. Resolves with what these purchases took of it. */
async function reachesBoth(id: string, buyer: LocalAccount): Promise<number> {
  let taken = 0;
  for (const where of [app, other]) {
    await eventually(async () => {
      const { headers, status } = await buy(buyer, at(where));
      const shown = status === 200 && String(headers['ratelimit-policy']).includes(`"${id}"`);
      if (shown) taken++;
      return shown;
    });
  }
  return taken;
}

async function usage(id: string): Promise<readonly { payer?: string; used: string; remaining: string }[]> {
  const { body } = await admin(app, `/limits/limited/${id}/usage`);
  return (JSON.parse(body) as { data: { payer?: string; used: string; remaining: string }[] }).data;
}

/** Midnight is hours away. */
const timeZone = new Date().getUTCHours() < 12 ? 'UTC' : 'Etc/GMT+12';
const day = { kind: 'calendar', unit: 'day', timeZone };
const hour = { kind: 'rolling', seconds: 3600 };

describe(`${CALLERS} callers at once at two gateways`, () => {
  const each = 12n;
  it.each<[string, string, object, bigint, string]>([
    [
      'requests of a tenant',
      'tenant',
      { measure: 'requests', per: 'tenant', quantity: '31', window: day },
      31n,
      'quota_exceeded',
    ],
    [
      'requests of a tenant, rolling',
      'rolled',
      { measure: 'requests', per: 'tenant', quantity: '23', window: hour },
      23n,
      'quota_exceeded',
    ],
    [
      'requests of a route',
      'route',
      { measure: 'requests', per: 'tenant', quantity: '17', routes: ['goes'], window: hour },
      17n,
      'quota_exceeded',
    ],
    [
      'requests of each payer',
      'each',
      { measure: 'requests', per: 'payer', quantity: `${each}`, window: day },
      4n * each,
      'quota_exceeded',
    ],
    [
      'units of each payer, rolling',
      'units',
      { measure: 'units', per: 'payer', quantity: `${each}`, window: hour },
      4n * each,
      'quota_exceeded',
    ],
    [
      'what a tenant takes',
      'taken',
      { measure: 'amount', per: 'tenant', quantity: `${29n * PRICE + 999n}`, window: hour },
      29n,
      'spending_limit_reached',
    ],
    [
      'what each payer spends',
      'spent',
      { measure: 'amount', per: 'payer', quantity: `${each * PRICE + 999n}`, window: day },
      4n * each,
      'spending_limit_reached',
    ],
  ])(
    '%s: exactly as many as allowed',
    async (_what, id, rules, allowed, code) => {
      await put(id, rules);
      const taken = await reachesBoth(id, buyers[0]!);
      const before = upstream.runs();
      const callers = await Promise.all(
        Array.from({ length: CALLERS }, async (_, n) => {
          const call = at(n % 2 === 0 ? app : other);
          const payment = await sign(buyers[n % buyers.length]!, await ask(call));
          return { call, payment };
        }),
      );
      const replies = await Promise.all(callers.map(({ call, payment }) => present(call, payment)));

      const admitted = replies.filter(({ status }) => status === 200);
      expect(BigInt(admitted.length + taken)).toBe(allowed);
      expect(upstream.runs() - before).toBe(admitted.length);
      const refused = replies.filter(({ status }) => status !== 200);
      expect(new Set(refused.map((reply) => `${reply.status} ${codeOf(reply)}`))).toEqual(new Set([`429 ${code}`]));
      for (const { body, headers } of refused) {
        expect(headers.ratelimit).toMatch(new RegExp(`^"${id}";r=\\d+;t=\\d+$`));
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(JSON.parse(body)).toMatchObject({ 'violated-policies': [id] });
      }
      const used = await usage(id);
      const perRequest = code === 'spending_limit_reached' ? PRICE : 1n;
      expect(used.reduce((sum, one) => sum + BigInt(one.used), 0n)).toBe(allowed * perRequest);

      // The payment of a refused request is good as soon as there is room.
      expect((await withdraw(id)).status).toBe(204);
      const index = replies.findIndex(({ status }) => status === 429);
      const { call, payment } = callers[index]!;
      await eventually(async () => (await present(call, payment)).status === 200);
    },
    120_000,
  );
});

describe('a quota', () => {
  const rules = { measure: 'requests', per: 'payer', quantity: '3', window: day };
  let buyer: LocalAccount;

  beforeAll(async () => {
    buyer = await newBuyer(app, 100_000_000n);
    await put('few', rules);
    expect(await reachesBoth('few', buyer)).toBe(2);
  });
  afterAll(() => withdraw('few'));

  const bought = async (route?: string): Promise<{ reply: Reply; payment: Payment }> => {
    const payment = await sign(buyer, await ask(at(app, route)));
    return { payment, reply: await present(at(app, route), payment) };
  };

  it('is given back when the delivery fails, and a repeat is not counted again', async () => {
    for (let n = 0; n < 3; n++) expect((await bought('fails')).reply.status).toBe(500);
    const { payment, reply } = await bought();
    expect(reply).toMatchObject({ status: 200 });
    expect(reply.headers.ratelimit).toMatch(/^"few";r=0;t=\d+$/);
    const repeat = await present(at(other), payment);
    expect(repeat).toMatchObject({ status: 200, body: reply.body });
    expect((await bought()).reply.status).toBe(429);
    // Who proves to be that payer need not sign to learn it; of others nothing is read.
    const headers = { 'idempotency-key': randomUUID() };
    const issued = await admin(app, `/customers/limited/${addressOf(buyer)}/keys`, {
      ...{ method: 'POST', body: {}, headers },
    });
    const { key } = JSON.parse(issued.body) as { key: string };
    for (const gateway of [app, other]) {
      const offer = await send({ ...at(gateway), headers: { 'tollbook-key': key } });
      expect([offer.status, offer.headers['retry-after']]).toEqual([402, undefined]);
      expect(offer.headers.ratelimit).toMatch(/^"few";r=0;t=\d+$/);
      expect(offer.headers['ratelimit-policy']).toBe('"few";q=3;w=86400');
      const named = await send({ ...at(gateway), headers: { 'tollbook-payer': addressOf(buyer) } });
      expect([named.status, named.headers.ratelimit]).toEqual([402, undefined]);
    }
    expect(await usage('few')).toContainEqual(
      expect.objectContaining({ payer: addressOf(buyer), used: '3', remaining: '0', resets_at: expect.any(String) }),
    );
  });
});

describe('where the provider says how Tollbook stands', () => {
  it('its callers hear that only if they have no limit of their own', async () => {
    const [buyer] = buyers;
    const free = await eventually(async () => {
      const reply = await buy(buyer!, at(app));
      return String(reply.headers.ratelimit).includes('theirs') ? reply : undefined;
    });
    expect(free.headers).toMatchObject({ ratelimit: '"theirs";r=7;t=9', 'ratelimit-policy': '"theirs";q=10' });
    await put('mine', { measure: 'requests', per: 'payer', quantity: '1000', window: hour });
    const limited = await eventually(async () => {
      const reply = await buy(buyer!, at(app));
      return String(reply.headers.ratelimit).includes('mine') ? reply : undefined;
    });
    expect(`${limited.headers.ratelimit} ${limited.headers['ratelimit-policy']}`).not.toContain('theirs');
    await withdraw('mine');
  });
});

describe('a limit that counts something else from now on', () => {
  it('begins anew, also for who has used it up', async () => {
    const buyer = await newBuyer(app, 100_000_000n);
    const rules = { measure: 'requests', per: 'payer', payer: addressOf(buyer), quantity: '2', window: day };
    await put('turned', rules);
    expect(await reachesBoth('turned', buyer)).toBe(2);
    expect((await buy(buyer, at(app))).status).toBe(429);
    const units = await admin(app, '/limits/limited/turned', { method: 'PUT', body: { ...rules, measure: 'units' } });
    expect(units.status).toBe(200);
    await eventually(() => buys(buyer, app));
    expect(await usage('turned')).toEqual([expect.objectContaining({ payer: addressOf(buyer), used: '1' })]);
    await withdraw('turned');
  });
});

describe('a spending limit below the price', () => {
  it('answers 402: for another price it may pass, at another time it may not', async () => {
    const buyer = await newBuyer(app, 100_000_000n);
    await put('low', { measure: 'amount', per: 'payer', payer: addressOf(buyer), quantity: '999', window: day });
    const reply = await eventually(async () => {
      const one = await buy(buyer, at(app));
      return one.status === 200 ? undefined : one;
    });
    expect(reply.status).toBe(402);
    const offer = JSON.parse(Buffer.from(String(reply.headers['payment-required']), 'base64').toString()) as object;
    expect(offer).toMatchObject({ error: 'price_above_limit' });
    expect(reply.headers['retry-after']).toBeUndefined();
    await withdraw('low');
  });
});

describe('exposure as data', () => {
  it('of a tenant: over it, answers wait for their settlement', async () => {
    const [buyer] = buyers;
    await put('owed', { measure: 'exposure', per: 'tenant', quantity: '0' });
    await eventually(async () => {
      const { headers, status } = await buy(buyer!, at(app));
      const answer = JSON.parse(Buffer.from(String(headers['payment-response']), 'base64').toString()) as {
        transaction: string;
      };
      return status === 200 && answer.transaction !== '';
    }, 20_000);
    expect((await withdraw('owed')).status).toBe(204);
  });
});

describe('the REST of limits', () => {
  const rules = { measure: 'requests', per: 'payer', quantity: '5', window: { kind: 'calendar', unit: 'week' } };

  it('shows, lists, guards against lost updates, and withdraws', async () => {
    const path = '/limits/limited/kept';
    const made = await admin(app, path, { method: 'PUT', body: rules, headers: { 'if-none-match': '*' } });
    expect(made).toMatchObject({ status: 201, headers: { etag: '"1"' } });
    expect(JSON.parse(made.body)).toMatchObject({ id: 'kept', rules: { window: { timeZone: 'UTC' } } });
    const more = { ...rules, quantity: '6' };
    expect((await admin(app, path, { method: 'PUT', body: more, headers: { 'if-match': '"7"' } })).status).toBe(412);
    expect((await admin(app, path, { method: 'PUT', body: more, headers: { 'if-match': '"1"' } })).status).toBe(200);
    const { body } = await admin(app, '/limits?tenant=limited');
    expect(JSON.parse(body)).toMatchObject({ data: [{ id: 'kept', rules: { quantity: '6' } }] });
    expect((await withdraw('kept')).status).toBe(204);
    expect((await admin(app, path)).status).toBe(404);
  });

  it.each([
    ['an unknown measure', { ...rules, measure: 'bytes' }, '#/measure'],
    [
      'an unknown zone',
      { ...rules, window: { kind: 'calendar', unit: 'day', timeZone: 'Mars/Olympus' } },
      '#/window/timeZone',
    ],
    ['routes that are not there', { ...rules, routes: ['goes', 'nowhere'] }, '#/routes/1'],
    ['one payer that all share', { ...rules, per: 'tenant', payer: `0x${'1'.repeat(40)}` }, '#/per'],
  ])('names %s', async (_what, body, pointer) => {
    const reply = await admin(app, '/limits/limited/wrong', { method: 'PUT', body });
    expect(reply.status).toBe(400);
    expect(JSON.parse(reply.body)).toMatchObject({ errors: [{ pointer }] });
  });
});
