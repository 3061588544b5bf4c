import { randomUUID } from 'node:crypto';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, newBuyer, offerOf, present, sign } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

let app: App;
let other: App;
let upstream: CountingUpstream;
let books: Books;
/** How the provider answers. */
let status = 200;
let held: (() => void)[] | undefined;

beforeAll(async () => {
  upstream = await countingUpstream((message, reply) => {
    const answer = () => {
      reply.statusCode = status;
      reply.end(JSON.stringify({ amount: message.headers['tollbook-amount'] }));
    };
    if (held) held.push(answer);
    else answer();
  });
  app = await startApp();
  other = await startSibling(app, 'gateway');
  books = new Books(app.engines);
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'shop', host: '127.0.0.1', upstream: upstream.url })),
    new PublishTariff('shop', 'flat', flat('1000')),
    ...['thing', 'counted'].map((id) => new PublishRoute(routeWith({ id, tenant: 'shop' }))),
    ...Object.entries({ paced: 4, probed: 1 }).map(
      ([id, points]) => new PublishRoute(routeWith({ id, tenant: 'shop', rateLimit: { points, seconds: 3600 } })),
    ),
  ]);
  for (const gateway of [app, other]) await eventually(() => ask({ url: thing(gateway) }));
});

afterAll(async () => {
  await books?.close();
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

beforeEach(() => {
  status = 200;
  held = undefined;
});

const thing = ({ gateway }: App) => `${gateway.replace('localhost', '127.0.0.1')}/thing`;

interface Customer {
  readonly payer: string;
  readonly key: string;
}

let customers = 0;

/** A customer with a key, and so many free requests a month once both gateways know it. */
async function customerWith(limit: number, counts: 'requests' | 'units' = 'requests'): Promise<Customer> {
  const payer = `0x${(++customers).toString(16).padStart(40, 'f')}`;
  const headers = { 'idempotency-key': randomUUID() };
  const issued = await admin(app, `/customers/shop/${payer}/keys`, { method: 'POST', body: {}, headers });
  expect(issued.status).toBe(201);
  const body = { counts, limit: String(limit), period: 'month' };
  const set = await admin(app, `/customers/shop/${payer}/allowance`, { method: 'PUT', body });
  expect({ status: set.status, body: set.body }).toMatchObject({ status: 201 });
  return { payer, key: (JSON.parse(issued.body) as { key: string }).key };
}

function call({ key }: Customer, gateway = app, more: Record<string, string> = {}): Promise<Reply> {
  return send({ url: thing(gateway), headers: { 'tollbook-key': key, ...more } });
}

async function account({ payer }: Customer) {
  const reply = await admin(app, `/customers/shop/${payer}/account`);
  expect(reply.status).toBe(200);
  return JSON.parse(reply.body) as { allowance: { used: string; remaining: string } | null; keys: object[] };
}

/** A notice takes a moment; a request that is not free yet is asked to pay, and uses nothing. */
async function known(customer: Customer): Promise<void> {
  for (const gateway of [app, other]) {
    await eventually(async () => (await call(customer, gateway)).headers['ratelimit-policy'] !== undefined);
  }
}

describe('a customer with a free allowance', () => {
  it('is served without payment while it lasts, and told how much is left; then it pays', async () => {
    const buyer = await newBuyer(app, 100_000n);
    const headers = { 'idempotency-key': randomUUID() };
    const issued = await admin(app, `/customers/shop/${addressOf(buyer)}/keys`, { method: 'POST', body: {}, headers });
    const customer = { payer: addressOf(buyer), key: (JSON.parse(issued.body) as { key: string }).key };
    const body = { counts: 'requests', limit: '3', period: 'month' };
    await admin(app, `/customers/shop/${customer.payer}/allowance`, { method: 'PUT', body });
    const first = await eventually(async () => {
      const reply = await call(customer);
      return reply.status === 200 && reply;
    });
    expect(JSON.parse(first.body)).toEqual({ amount: '0' });
    expect(first.headers).toMatchObject({ ratelimit: expect.stringMatching(/^"free";r=2;t=\d+$/) });
    expect(first.headers['ratelimit-policy']).toMatch(/^"free";q=3;w=\d+$/);
    expect(first.headers['payment-response']).toBeUndefined();
    for (let n = 0; n < 2; n++) {
      await eventually(async () => (await call(customer, other)).status === 200);
    }
    const used = await call(customer, other);
    expect(used.status).toBe(402);
    expect(used.headers).toMatchObject({ ratelimit: expect.stringMatching(/^"free";r=0;t=\d+$/) });
    expect(used.headers['retry-after']).toBeUndefined();
    expect((await present({ url: thing(other) }, await sign(buyer, offerOf(used)))).status).toBe(200);
    expect(await account(customer)).toMatchObject({ allowance: { used: '3', remaining: '0', shared: false } });
    await eventually(async () => {
      const { data } = JSON.parse((await admin(app, `/usage?payer=${customer.payer}`)).body);
      expect(data).toMatchObject([{ requests: '4', units: '4', amount: '1000' }]);
      return true;
    });
  });

  it('has as many requests as it may, of 200 at once over two gateways', async () => {
    const customer = await customerWith(0);
    await known(customer);
    const body = { counts: 'requests', limit: '50', period: 'month' };
    await admin(app, `/customers/shop/${customer.payer}/allowance`, { method: 'PUT', body });
    for (const gateway of [app, other]) {
      await eventually(async () =>
        String((await call(customer, gateway)).headers['ratelimit-policy']).includes('q=50'),
      );
    }
    const { used } = (await account(customer)).allowance!;
    const before = upstream.runs();
    const replies = await Promise.all(Array.from({ length: 200 }, (_, n) => call(customer, n % 2 ? app : other)));
    const served = replies.filter((reply) => reply.status === 200).length;
    expect(served).toBe(50 - Number(used));
    expect(upstream.runs() - before).toBe(served);
    expect(replies.filter((reply) => reply.status === 402)).toHaveLength(200 - served);
    expect(await account(customer)).toMatchObject({ allowance: { used: '50', remaining: '0' } });
  });

  it('gets back what was not delivered', async () => {
    const customer = await customerWith(5);
    await known(customer);
    const { used } = (await account(customer)).allowance!;
    for (const wrong of [500, 404]) {
      status = wrong;
      expect((await call(customer)).status).toBe(wrong);
    }
    expect(await account(customer)).toMatchObject({ allowance: { used } });
  });

  it('is not run twice for a request that it named', async () => {
    const customer = await customerWith(5);
    await known(customer);
    const before = upstream.runs();
    const { used } = (await account(customer)).allowance!;
    held = [];
    const first = call(customer, app, { 'tollbook-request': 'r-1' });
    await eventually(() => held!.length === 1);
    const meanwhile = await call(customer, other, { 'tollbook-request': 'r-1' });
    expect([meanwhile.status, codeOf(meanwhile)]).toEqual([409, 'delivery_in_progress']);
    held[0]!();
    expect((await first).status).toBe(200);
    held = undefined;
    const again = await call(customer, other, { 'tollbook-request': 'r-1' });
    expect([again.status, codeOf(again)]).toEqual([409, 'answer_not_kept']);
    const otherRequest = await send({
      url: `${thing(app)}?other`,
      headers: { 'tollbook-key': customer.key, 'tollbook-request': 'r-1' },
    });
    expect([otherRequest.status, codeOf(otherRequest)]).toEqual([409, 'request_name_reused']);
    expect(upstream.runs()).toBe(before + 1);
    expect((await account(customer)).allowance!.used).toBe(String(Number(used) + 1));
  });

  it('is not asked to pay for a named request that took its last free one, sent to both gateways at once', async () => {
    const several = await Promise.all(Array.from({ length: 8 }, () => customerWith(1)));
    // Allowances are read in one go, so these are known as well then.
    await known(await customerWith(5));
    const before = upstream.runs();
    const statuses = several.map(async (customer) => {
      const sent = Array.from({ length: 6 }, (_, n) =>
        call(customer, n % 2 ? app : other, { 'tollbook-request': 'r' }),
      );
      return (await Promise.all(sent)).map(({ status }) => status).sort();
    });
    for (const one of await Promise.all(statuses)) expect(one).toEqual([200, 409, 409, 409, 409, 409]);
    expect(upstream.runs()).toBe(before + several.length);
  });

  it('must prove who it is', async () => {
    const customer = await customerWith(5);
    await known(customer);
    const named = await send({ url: thing(app), headers: { 'tollbook-payer': customer.payer } });
    expect(named.status).toBe(402);
    expect(named.headers['ratelimit-policy']).toBeUndefined();
  });

  it('is refused once it is denied', async () => {
    const customer = await customerWith(5);
    await known(customer);
    const body = { standing: 'denied', reason: 'abuse' };
    expect((await admin(app, `/customers/shop/${customer.payer}/standing`, { method: 'PUT', body })).status).toBe(200);
    const before = upstream.runs();
    const reply = await call(customer, other);
    expect([reply.status, codeOf(reply)]).toEqual([403, 'payer_denied']);
    expect(upstream.runs()).toBe(before);
  });
});

describe('limits of free requests', () => {
  const url = ({ gateway }: App, id: string) => `${gateway.replace('localhost', '127.0.0.1')}/${id}`;
  let calls = 0;
  /** From another address each time: offers are counted by address. */
  const at = ({ key }: Customer, id: string, gateway = app) =>
    send({ url: url(gateway, id), headers: { 'tollbook-key': key }, from: `127.0.1.${1 + (calls++ % 250)}` });
  const statuses = (replies: readonly Reply[], status: number) => replies.filter((reply) => reply.status === status);

  it('are the quotas of paid ones: of 200 at once over two gateways exactly as many run', async () => {
    const customer = await customerWith(1_000);
    await known(customer);
    const window = { kind: 'rolling', seconds: 3600 };
    const body = { measure: 'requests', per: 'payer', quantity: '20', routes: ['counted'], window };
    expect((await admin(app, '/limits/shop/each', { method: 'PUT', body })).status).toBe(201);
    let taken = 0;
    for (const gateway of [app, other]) {
      await eventually(async () => {
        const { headers, status } = await at(customer, 'counted', gateway);
        const shown = status === 200 && String(headers['ratelimit-policy']).includes('"each"');
        if (shown) taken++;
        return shown;
      });
    }
    status = 500;
    expect((await at(customer, 'counted')).status).toBe(500);
    status = 200;
    const before = upstream.runs();
    const { used } = (await account(customer)).allowance!;
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, n) => at(customer, 'counted', n % 2 ? app : other)),
    );
    expect(statuses(replies, 200)).toHaveLength(20 - taken);
    expect(upstream.runs() - before).toBe(20 - taken);
    for (const reply of statuses(replies, 429)) {
      expect(codeOf(reply)).toBe('quota_exceeded');
      expect(reply.headers.ratelimit).toMatch(/^"each";r=0;t=\d+$/);
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(statuses(replies, 429)).toHaveLength(180 + taken);
    expect((await account(customer)).allowance!.used).toBe(String(Number(used) + 20 - taken));
    const { body: usage } = await admin(app, '/limits/shop/each/usage');
    expect(JSON.parse(usage)).toMatchObject({ data: [{ payer: customer.payer, used: '20', remaining: '0' }] });
  });

  it('are the rate limits of paid ones, where an offer for want of allowance counts too', async () => {
    // Until its link to Redis is up, a gateway counts by itself.
    await eventually(async () => {
      const one = await customerWith(5);
      const first = await at(one, 'probed', other);
      return first.status === 200 && (await at(one, 'probed', app)).status === 429;
    });
    const [customer, spent] = [await customerWith(100), await customerWith(0)];
    for (const one of [customer, spent]) await known(one);
    const both = () => [app, other, app, other, app, other];
    const replies = await Promise.all(both().map((gateway) => at(customer, 'paced', gateway)));
    expect(statuses(replies, 200)).toHaveLength(4);
    for (const reply of statuses(replies, 429)) expect(codeOf(reply)).toBe('rate_limited');
    expect(statuses(replies, 429)).toHaveLength(2);
    const body = { counts: 'requests', limit: '100', period: 'month' };
    expect((await at(spent, 'paced', other)).status).toBe(402);
    await admin(app, `/customers/shop/${spent.payer}/allowance`, { method: 'PUT', body });
    await eventually(async () => (await call(spent, app)).status === 200);
    for (let n = 0; n < 3; n++) expect((await at(spent, 'paced', app)).status).toBe(200);
    expect((await at(spent, 'paced', app)).status).toBe(429);
  });
});

describe('an allowance for each proven customer', () => {
  afterAll(() => admin(app, '/allowances/shop', { method: 'DELETE' }));

  it('is for those who have none of their own', async () => {
    const body = { counts: 'units', limit: '2', period: 'day' };
    expect((await admin(app, '/allowances/shop', { method: 'PUT', body })).status).toBe(201);
    const customer = await customerWith(1);
    expect((await admin(app, `/customers/shop/${customer.payer}/allowance`, { method: 'DELETE' })).status).toBe(204);
    await eventually(async () => {
      const reply = await call(customer);
      return reply.status === 200 && String(reply.headers['ratelimit-policy']).includes('qu="units"');
    });
    expect(await account(customer)).toMatchObject({ allowance: { shared: true, counts: 'units', period: 'day' } });
  });
});
