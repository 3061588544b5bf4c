import { randomUUID } from 'node:crypto';
import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import type { App } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type Reply, send } from '../support/http.js';
import { DAY, HOUR, Limited } from '../support/limited.js';
import { addressOf, ask, buy, newBuyer, type Payment, present, sign } from '../support/payment.js';
import { publish, routeWith } from '../support/publishing.js';

let limited: Limited;
let app: App;
let other: App;

beforeAll(async () => {
  limited = await Limited.open(1);
  ({ app, other } = limited);
});
afterAll(() => limited?.stop());

describe('a quota', () => {
  const rules = { measure: 'requests', per: 'payer', quantity: '3', window: DAY };
  let buyer: LocalAccount;

  beforeAll(async () => {
    buyer = await newBuyer(app, 100_000_000n);
    await limited.put('few', rules);
    expect(await limited.reachesBoth('few', buyer)).toBe(2);
  });
  afterAll(() => limited.withdraw('few'));

  const bought = async (route?: string): Promise<{ reply: Reply; payment: Payment }> => {
    const payment = await sign(buyer, await ask(limited.call(app, route)));
    return { payment, reply: await present(limited.call(app, route), payment) };
  };

  it('is given back when the delivery fails, and a repeat is not counted again', async () => {
    for (let n = 0; n < 3; n++) expect((await bought('fails')).reply.status).toBe(500);
    const { payment, reply } = await bought();
    expect(reply).toMatchObject({ status: 200 });
    expect(reply.headers.ratelimit).toMatch(/^"few";r=0;t=\d+$/);
    const repeat = await present(limited.call(other), payment);
    expect(repeat).toMatchObject({ status: 200, body: reply.body });
    expect((await bought()).reply.status).toBe(429);
    // Who proves to be that payer need not sign to learn it; of others nothing is read.
    const headers = { 'idempotency-key': randomUUID() };
    const issued = await admin(app, `/customers/limited/${addressOf(buyer)}/keys`, {
      ...{ method: 'POST', body: {}, headers },
    });
    const { key } = JSON.parse(issued.body) as { key: string };
    for (const gateway of [app, other]) {
      const offer = await send({ ...limited.call(gateway), headers: { 'tollbook-key': key } });
      expect([offer.status, offer.headers['retry-after']]).toEqual([402, undefined]);
      expect(offer.headers.ratelimit).toMatch(/^"few";r=0;t=\d+$/);
      expect(offer.headers['ratelimit-policy']).toBe('"few";q=3;w=86400');
      const named = await send({ ...limited.call(gateway), headers: { 'tollbook-payer': addressOf(buyer) } });
      expect([named.status, named.headers.ratelimit]).toEqual([402, undefined]);
    }
    expect(await limited.usage('few')).toContainEqual(
      expect.objectContaining({ payer: addressOf(buyer), used: '3', remaining: '0', resets_at: expect.any(String) }),
    );
  });
});

describe('where the provider says how Tollbook stands', () => {
  it('its callers hear that only if they have no limit of their own', async () => {
    const [buyer] = limited.buyers;
    const free = await eventually(async () => {
      const reply = await buy(buyer!, limited.call(app));
      return String(reply.headers.ratelimit).includes('theirs') ? reply : undefined;
    });
    expect(free.headers).toMatchObject({ ratelimit: '"theirs";r=7;t=9', 'ratelimit-policy': '"theirs";q=10' });
    await limited.put('mine', { measure: 'requests', per: 'payer', quantity: '1000', window: HOUR });
    const own = await eventually(async () => {
      const reply = await buy(buyer!, limited.call(app));
      return String(reply.headers.ratelimit).includes('mine') ? reply : undefined;
    });
    expect(`${own.headers.ratelimit} ${own.headers['ratelimit-policy']}`).not.toContain('theirs');
    await limited.withdraw('mine');
  });
});

describe('a limit that counts something else from now on', () => {
  it('begins anew, also for who has used it up', async () => {
    const buyer = await newBuyer(app, 100_000_000n);
    const rules = { measure: 'requests', per: 'payer', payer: addressOf(buyer), quantity: '2', window: DAY };
    await limited.put('turned', rules);
    expect(await limited.reachesBoth('turned', buyer)).toBe(2);
    expect((await buy(buyer, limited.call(app))).status).toBe(429);
    const units = await admin(app, '/limits/limited/turned', { method: 'PUT', body: { ...rules, measure: 'units' } });
    expect(units.status).toBe(200);
    await eventually(() => limited.buys(buyer, app));
    expect(await limited.usage('turned')).toEqual([expect.objectContaining({ payer: addressOf(buyer), used: '1' })]);
    await limited.withdraw('turned');
  });
});

describe('a limit of a meter', () => {
  it('adds up the units of every tariff that counts in it, and no others', async () => {
    const counting = (units: number, meter?: string) => ({
      charges: [{ model: 'per_unit' as const, amount: '10', per: 1, quantity: { source: 'declared' as const, units } }],
      ...(meter === undefined ? {} : { meter }),
    });
    await publish(app.engines.postgres, [
      new PublishTariff('limited', 'chat', counting(60, 'tokens')),
      new PublishTariff('limited', 'embed', counting(30, 'tokens')),
      new PublishTariff('limited', 'files', counting(1000)),
      ...['chat', 'embed', 'files'].map((id) => new PublishRoute(routeWith({ tenant: 'limited', id, tariff: id }))),
    ]);
    const buyer = await newBuyer(app, 100_000_000n);
    const bought = async (route: string) => (await buy(buyer, limited.call(app, route))).status;
    await eventually(async () => (await bought('files')) === 200);
    const subject = { per: 'payer', payer: addressOf(buyer) };
    await limited.put('tokens', { measure: 'units', meter: 'tokens', ...subject, quantity: '100', window: DAY });
    const shown = await eventually(async () => {
      const { headers, status } = await buy(buyer, limited.call(app, 'chat'));
      return status === 200 && headers.ratelimit ? headers : undefined;
    });
    expect(shown.ratelimit).toMatch(/^"tokens";r=40;t=\d+$/);
    expect(shown['ratelimit-policy']).toBe('"tokens";q=100;qu="units";w=86400');
    expect(await Promise.all([bought('embed'), bought('embed')]).then((all) => all.sort())).toEqual([200, 429]);
    expect([await bought('chat'), await bought('files'), await bought('goes')]).toEqual([429, 200, 200]);
    expect(await limited.usage('tokens')).toEqual([
      expect.objectContaining({ payer: addressOf(buyer), used: '90', remaining: '10' }),
    ]);
    await limited.withdraw('tokens');
  });
});

describe('a spending limit below the price', () => {
  it('answers 402: for another price it may pass, at another time it may not', async () => {
    const buyer = await newBuyer(app, 100_000_000n);
    await limited.put('low', {
      measure: 'amount',
      per: 'payer',
      payer: addressOf(buyer),
      quantity: '999',
      window: DAY,
    });
    const reply = await eventually(async () => {
      const one = await buy(buyer, limited.call(app));
      return one.status === 200 ? undefined : one;
    });
    expect(reply.status).toBe(402);
    const offer = JSON.parse(Buffer.from(String(reply.headers['payment-required']), 'base64').toString()) as object;
    expect(offer).toMatchObject({ error: 'price_above_limit' });
    expect(reply.headers['retry-after']).toBeUndefined();
    await limited.withdraw('low');
  });
});

describe('exposure as data', () => {
  it('of a tenant: over it, answers wait for their settlement', async () => {
    const [buyer] = limited.buyers;
    await limited.put('owed', { measure: 'exposure', per: 'tenant', quantity: '0' });
    await eventually(async () => {
      const { headers, status } = await buy(buyer!, limited.call(app));
      const answer = JSON.parse(Buffer.from(String(headers['payment-response']), 'base64').toString()) as {
        transaction: string;
      };
      return status === 200 && answer.transaction !== '';
    }, 20_000);
    expect((await limited.withdraw('owed')).status).toBe(204);
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
    expect((await limited.withdraw('kept')).status).toBe(204);
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
