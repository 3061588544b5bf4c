import { randomUUID } from 'node:crypto';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { addressOf, ask, newBuyer, offerOf, present, sign, signV1 } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

let app: App;
let other: App;
let upstream: CountingUpstream;

beforeAll(async () => {
  upstream = await countingUpstream((_, reply) => reply.end('{}'));
  app = await startApp();
  other = await startSibling(app, 'gateway');
  const tiers = [{ upTo: 3, permille: 1000 }, { permille: 500 }];
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'shop', host: '127.0.0.1', upstream: upstream.url })),
    new PublishTariff('shop', 'flat', { ...flat('1000'), period: 'month', modifiers: [{ kind: 'volume', tiers }] }),
    new PublishTariff('shop', 'gold', flat('70')),
    new PublishTariff('shop', 'rising', {
      charges: [
        {
          ...{ model: 'graduated', over: 'period', quantity: { source: 'declared', units: 1 } },
          tiers: [{ upTo: 2, amount: '10' }, { amount: '1000' }],
        },
      ],
      period: 'month',
    }),
    new PublishRoute(routeWith({ id: 'thing', tenant: 'shop' })),
    new PublishRoute(routeWith({ id: 'cheap-first', tenant: 'shop', tariff: 'rising' })),
  ]);
  for (const gateway of [app, other]) await eventually(() => ask({ url: thing(gateway) }));
});

afterAll(async () => {
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

const thing = ({ gateway }: App) => `${gateway.replace('localhost', '127.0.0.1')}/thing`;
const named = (payer: string, gateway = other) => ({ url: thing(gateway), headers: { 'tollbook-payer': payer } });
const priceOf = async (call: Parameters<typeof ask>[0]) => (await ask(call)).accepts[0].amount;

describe('a payer that is named', () => {
  it('is asked the price of its volume, on every gateway, and what it was quoted stands while it grows', async () => {
    const buyer = await newBuyer(app, 100_000n);
    const payer = addressOf(buyer);
    const dear = await ask(named(payer));
    expect(dear.accepts[0].amount).toBe('1000');
    for (let n = 0; n < 3; n++) {
      expect((await present({ url: thing(app) }, await sign(buyer, await ask({ url: thing(app) })))).status).toBe(200);
    }
    const cheap = await eventually(async () => {
      const offer = await ask(named(payer));
      return offer.accepts[0].amount === '500' && offer;
    });
    expect(await priceOf({ url: thing(other) })).toBe('1000');
    expect(await priceOf(named(`0x${'99'.repeat(20)}`))).toBe('1000');
    expect((await present({ url: thing(app) }, await sign(buyer, dear))).status).toBe(200);
    expect((await present({ url: thing(app) }, await sign(buyer, cheap))).status).toBe(200);
    const another = await newBuyer(app, 100_000n);
    const refused = await present({ url: thing(app) }, await sign(another, cheap));
    expect(offerOf(refused).error).toBe('quote_for_another_payer');
  });
});

describe('a customer with a tariff of its own', () => {
  it('pays it when it proves who it is, and only then', async () => {
    const buyer = await newBuyer(app, 100_000n);
    const customer = `/customers/shop/${addressOf(buyer)}`;
    const headers = { 'idempotency-key': randomUUID() };
    const issued = await admin(app, `${customer}/keys`, { method: 'POST', body: {}, headers });
    const proven = { url: thing(other), headers: { 'tollbook-key': (JSON.parse(issued.body) as { key: string }).key } };
    expect(await priceOf(proven)).toBe('1000');
    const assigned = await admin(app, `${customer}/tariffs/thing`, { method: 'PUT', body: { tariff: 'gold' } });
    expect({ status: assigned.status, body: JSON.parse(assigned.body) }).toEqual({
      ...{ status: 200, body: { route: 'thing', tariff: 'gold' } },
    });
    const offer = await eventually(async () => {
      const one = await ask(proven);
      return one.accepts[0].amount === '70' && one;
    });
    expect(await priceOf(named(addressOf(buyer)))).toBe('1000');
    const v1 = JSON.parse((await send(proven)).body) as { accepts: [{ maxAmountRequired: string }] };
    expect(v1.accepts[0].maxAmountRequired).toBe('1000');
    const cheapV1 = await present({ url: thing(app) }, await signV1(buyer, offer, { value: '70' }));
    expect(offerOf(cheapV1).error).toBe('price_not_in_force');
    for (const [payer, proven, amount, tariff] of [
      [addressOf(buyer), true, '70', 'gold'],
      [addressOf(buyer), false, '1000', 'flat'],
    ] as const) {
      const body = { tenant: 'shop', route: 'thing', payer, proven };
      const explained = await admin(app, '/quotes', { method: 'POST', body });
      expect(JSON.parse(explained.body)).toMatchObject({ amount, tariff: { id: tariff } });
    }
    expect((await admin(app, `${customer}/tariffs/thing`, { method: 'DELETE' })).status).toBe(204);
    await eventually(async () => (await priceOf(proven)) === '1000');
    // What was quoted stands, and the payment needs no key.
    expect((await present({ url: thing(app) }, await sign(buyer, offer))).status).toBe(200);
    const account = JSON.parse((await admin(app, `${customer}/account`)).body);
    expect(account).toMatchObject({ standing: 'none', tariffs: [], keys: [{}], allowance: null });
  });

  it.each([
    [404, 'not_found', 'nothing', { tariff: 'gold' }],
    [422, 'tariff_not_published', 'thing', { tariff: 'silver' }],
    [400, 'invalid_request', 'thing', { tariff: 'Gold' }],
    [400, 'invalid_request', 'thing', {}],
  ])('is not given one: %i %s', async (status, code, route, body) => {
    const reply = await admin(app, `/customers/shop/0x${'e7'.repeat(20)}/tariffs/${route}`, { method: 'PUT', body });
    expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  });
});

describe('units that are cheap at first', () => {
  const cheapFirst = () => `${other.gateway.replace('localhost', '127.0.0.1')}/cheap-first`;
  const namedThere = (payer: string) => ({ url: cheapFirst(), headers: { 'tollbook-payer': payer } });

  it('are those of payers that are named, each once, and not of whoever leaves its name out', async () => {
    const buyer = await newBuyer(app, 100_000n);
    const payer = addressOf(buyer);
    expect(await priceOf({ url: cheapFirst() })).toBe('1000');
    const body = JSON.parse((await send({ url: cheapFirst() })).body) as { accepts: [{ maxAmountRequired: string }] };
    expect(body.accepts[0].maxAmountRequired).toBe('1000');
    for (let n = 0; n < 2; n++) {
      const offer = await ask(namedThere(payer));
      expect(offer.accepts[0].amount).toBe('10');
      expect((await present({ url: cheapFirst() }, await sign(buyer, offer))).status).toBe(200);
    }
    await eventually(async () => (await priceOf(namedThere(payer))) === '1000');
    const unnamed = await ask({ url: cheapFirst() });
    expect((await present({ url: cheapFirst() }, await sign(buyer, unnamed))).status).toBe(200);
    const low = await signV1(buyer, { ...unnamed, accepts: [{ ...unnamed.accepts[0], amount: '10' }] });
    expect(offerOf(await present({ url: cheapFirst() }, low)).error).toBe('price_not_in_force');
  });
});
