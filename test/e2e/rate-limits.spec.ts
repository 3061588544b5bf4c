import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import type { Route } from '../../src/domains/pricing/catalogue.schemas.js';
import { enginePids } from '../faults/engine-pids.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, type Reply, send } from '../support/http.js';
import { ask, buy, newBuyer, present, sign } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const MONEY = 10_000_000n;
const HOUR = 3_600;
const CALLERS = 200;
/** Of each payer. */
const SHARED = 23;
/** Far more than a frozen Redis may hold a request up, far less than a hang. */
const PATIENCE_MS = 10_000;

let app: App;
let other: App;
let upstream: CountingUpstream;

beforeAll(async () => {
  upstream = await countingUpstream((_request, reply) => reply.end('{"ok":true}'));
  app = await startApp();
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'shop', host: 'shop.example', upstream: upstream.url })),
    new PublishTariff('shop', 'flat', flat('1000')),
    new PublishRoute(routeWith({ id: 'free', tenant: 'shop' })),
    limited('shared', { points: SHARED, seconds: HOUR }),
    ...['frozen', 'killed'].map((id) => limited(id, { points: 5, seconds: HOUR })),
    limited('offers', { points: 3, seconds: HOUR }),
  ]);
  other = await startSibling(app, 'gateway');
});

afterAll(async () => {
  await other?.stop();
  await app?.stop();
  await upstream?.stop();
});

function limited(id: string, rateLimit: Route['rateLimit']): PublishRoute {
  return new PublishRoute(routeWith({ id, tenant: 'shop', rateLimit }));
}

let calls = 0;
/** Offers are counted by address, payments by payer: each from another address. */
function call(id: string, gateway: App = app): Call {
  calls++;
  return {
    url: `${gateway.gateway.replace('localhost', '127.0.0.1')}/${id}`,
    headers: { host: 'shop.example' },
    from: `127.0.1.${1 + (calls % 250)}`,
  };
}

/** Paid once, so that the next answers wait for no settlement. */
async function knownBuyer(): Promise<LocalAccount> {
  const buyer = await newBuyer(app, MONEY);
  for (const gateway of [app, other]) expect(await buy(buyer, call('free', gateway))).toMatchObject({ status: 200 });
  return buyer;
}

function expectLimited(reply: Reply, quota: number): void {
  expect([reply.status, codeOf(reply)]).toEqual([429, 'rate_limited']);
  expect(reply.headers['ratelimit-policy']).toBe(`"route";q=${quota};w=${HOUR}`);
  expect(reply.headers.ratelimit).toMatch(/^"route";r=0;t=\d+$/);
  const seconds = Number(reply.headers['retry-after']);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(HOUR);
}

const ok = (replies: readonly Reply[]) => replies.filter(({ status }) => status === 200);

describe('the rate limit of a route', () => {
  it('lets through exactly as many of a payer as it says, over two gateways, and the rest keep their payments', async () => {
    const buyer = await knownBuyer();
    const before = upstream.runs();
    const tickets = await Promise.all(
      Array.from({ length: CALLERS }, async (_, n) => {
        const to = call('shared', n % 2 === 0 ? app : other);
        return { to, payment: await sign(buyer, await ask(to)) };
      }),
    );
    const replies = await Promise.all(tickets.map(({ payment, to }) => present(to, payment)));
    expect(ok(replies)).toHaveLength(SHARED);
    expect(upstream.runs() - before).toBe(SHARED);
    for (const reply of replies) if (reply.status !== 200) expectLimited(reply, SHARED);

    // A repeat is no new request, and another payer has a limit of its own.
    const served = tickets[replies.findIndex(({ status }) => status === 200)]!;
    expect(await present(served.to, served.payment)).toMatchObject({ status: 200 });
    expect(await buy(await newBuyer(app, MONEY), call('shared'))).toMatchObject({ status: 200 });
    expect(upstream.runs() - before).toBe(SHARED + 1);

    // What was refused is not charged; with a higher limit the same payment buys.
    await publish(app.engines.postgres, [limited('shared', { points: 1_000, seconds: HOUR })]);
    const refused = tickets[replies.findIndex(({ status }) => status === 429)]!;
    await eventually(async () => (await present(refused.to, refused.payment)).status === 200);
    expect(upstream.runs() - before).toBe(SHARED + 2);
  });

  it('counts offers to strangers by address', async () => {
    const from = '127.0.2.1';
    const replies: Reply[] = [];
    for (let count = 0; count < 5; count++) replies.push(await send({ ...call('offers'), from }));
    expect(replies.map(({ status }) => status)).toEqual([402, 402, 402, 429, 429]);
    expectLimited(replies[4]!, 3);
    expect(
      await send({ ...call('offers'), from, headers: { host: 'shop.example', 'x-forwarded-for': '192.0.2.1' } }),
    ).toMatchObject({ status: 429 });
    expect(await send({ ...call('offers'), from: '127.0.2.2' })).toMatchObject({ status: 402 });
  });

  it('is counted by each gateway alone while Redis stands still, and no request hangs', async () => {
    const buyer = await knownBuyer();
    const pid = await eventually(async () => (await enginePids(app.dataDir, 'redis-server'))[0]);
    process.kill(pid, 'SIGSTOP');
    try {
      const replies: Reply[] = [];
      const began = performance.now();
      for (let count = 0; count < 7; count++) replies.push(await buy(buyer, call('frozen')));
      expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
      expect(await buy(buyer, call('frozen', other))).toMatchObject({ status: 200 });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('is kept when Redis is killed while requests run', async () => {
    const buyer = await knownBuyer();
    const tickets = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const to = call('killed');
        return { to, payment: await sign(buyer, await ask(to)) };
      }),
    );
    const [pid] = await enginePids(app.dataDir, 'redis-server');
    const replies = await Promise.all(
      tickets.map(async ({ payment, to }, n) => {
        const reply = present(to, payment);
        if (n === 6) process.kill(pid!, 'SIGKILL');
        return reply;
      }),
    );
    // Redis counted some and forgot them or not; this gateway counted the others.
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(ok(replies).length).toBeGreaterThanOrEqual(5);
    expect(ok(replies).length).toBeLessThanOrEqual(10);
  });
});
