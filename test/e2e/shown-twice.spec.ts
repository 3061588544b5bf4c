import { randomUUID } from 'node:crypto';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ask, buy, newBuyer, present, sign } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const HOST = '127.0.0.1';
const SHOWS = 6;

let app: App;
let other: App;
let upstream: CountingUpstream;

beforeAll(async () => {
  upstream = await countingUpstream((_, reply) => reply.end('{"ok":true}'));
  app = await startApp();
  other = await startSibling(app, 'gateway');
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'limited', host: HOST, upstream: upstream.url })),
    new PublishTariff('limited', 'flat', flat('1000')),
    ...['one', 'several'].map((id) => new PublishRoute(routeWith({ tenant: 'limited', id }))),
  ]);
});

afterAll(async () => {
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

const at = ({ gateway }: App, route: string) => ({ url: `http://${HOST}:${new URL(gateway).port}/${route}` });

describe('a purchase that is shown to two gateways at once', () => {
  it.each([
    ['one', 'as one payment'],
    ['several', 'as payments with one identifier'],
  ])('takes the last of a quota and is answered each time: %s, %s', async (route) => {
    const rules = { measure: 'requests', per: 'payer', quantity: '1', window: { kind: 'rolling', seconds: 3600 } };
    const body = { ...rules, routes: [route] };
    expect(await admin(app, `/limits/limited/${route}`, { method: 'PUT', body })).toMatchObject({ status: 201 });
    const first = await newBuyer(app, 100_000n);
    for (const where of [app, other]) {
      await eventually(async () => (await buy(first, at(where, route))).status === 429, 20_000);
    }
    const fresh = await Promise.all(Array.from({ length: 8 }, () => newBuyer(app, 10_000n)));
    const before = upstream.runs();
    const answers = fresh.map(async (buyer) => {
      const offer = await ask(at(app, route));
      const info = { required: false, id: randomUUID().replaceAll('-', '') };
      const signed = async () => ({
        ...(await sign(buyer, offer)),
        extensions: { 'payment-identifier': { info } },
      });
      const payment = await signed();
      const shown = Array.from({ length: SHOWS }, async (_, n) =>
        present(at(n % 2 ? app : other, route), route === 'one' ? payment : await signed()),
      );
      return (await Promise.all(shown)).map(({ status }) => status);
    });
    expect((await Promise.all(answers)).flat()).toEqual(Array(fresh.length * SHOWS).fill(200));
    expect(upstream.runs()).toBe(before + fresh.length);
  });
});
