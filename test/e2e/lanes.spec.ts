import { randomBytes } from 'node:crypto';
import { get, type ServerResponse } from 'node:http';
import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import type { Route } from '../../src/domains/pricing/catalogue.schemas.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, open, type Reply, send } from '../support/http.js';
import { ask, buy, idOf, newBuyer, offerOf, present, sign, withPayment } from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { startSibling } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const MONEY = 10_000_000n;
const CALLERS = 200;
const CROWD = { limit: 3, queue: 5, waitMs: 60_000 };

let app: App;
let other: App;
let books: Books;
let buyer: LocalAccount;
/** A provider that answers when it is told to; `at` lists the requests that reached it. */
let upstream: CountingUpstream;
let at: string[] = [];
let held: ServerResponse[] = [];

beforeAll(async () => {
  upstream = await countingUpstream((request, reply) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://upstream');
    if (pathname === '/quick') return reply.end('{}');
    at.push(searchParams.get('n') ?? '');
    held.push(reply);
  });
  app = await startApp();
  other = await startSibling(app, 'gateway');
  books = new Books(app.engines);
  const one = { limit: 1, queue: 10, waitMs: 60_000 };
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'shop', host: 'shop.example', upstream: upstream.url })),
    new PublishTariff('shop', 'flat', flat('1000')),
    new PublishTariff('shop', 'surge', {
      charges: [{ model: 'flat', amount: '1000' }],
      modifiers: [{ kind: 'load', from: 500, to: 1000, permille: 3000 }],
    }),
    new PublishRoute(routeWith({ id: 'quick', tenant: 'shop' })),
    new PublishRoute(routeWith({ id: 'surge', tenant: 'shop', tariff: 'surge', upstreamConcurrency: one })),
    lane('order', one),
    lane('full', { ...one, queue: 1 }),
    lane('late', { ...one, waitMs: 200 }),
    lane('gone', one),
    lane('crowd', CROWD),
    lane('repeats', one),
    lane('after', one, 'after'),
  ]);
  buyer = await newBuyer(app, MONEY);
  for (const gateway of [app, other])
    expect(await buy(buyer, call('quick', '', 3, gateway))).toMatchObject({ status: 200 });
});

afterAll(async () => {
  await other?.stop();
  await books?.close();
  await app?.stop();
  await upstream?.stop();
});

beforeEach(() => {
  at = [];
  held = [];
});

function lane(id: string, upstreamConcurrency: Route['upstreamConcurrency'], mode: Route['mode'] = 'async') {
  return new PublishRoute(routeWith({ id, tenant: 'shop', timeoutMs: 60_000, mode, upstreamConcurrency }));
}

function call(id: string, n = '', urgency = 3, gateway: App = app): Call {
  return { url: `${gateway.gateway}/${id}?n=${n}`, headers: { host: 'shop.example', priority: `u=${urgency}` } };
}

const purchase = async (to: Call) => withPayment(to, await sign(buyer, await ask(to)));
const arrived = (count: number) => eventually(() => at.length === count);
/** The provider answers the request that it has had for longest. */
const answer = () => held.shift()!.end('{"ok":true}');

/** Waits until so many requests wait for a route's upstream, as the metrics tell it. */
async function waiting(id: string, count: number): Promise<void> {
  await eventually(async () => {
    const { body } = await send({
      url: `${app.control}/metrics`,
      headers: { authorization: `Bearer ${app.adminKey}` },
    });
    const lines = [...body.matchAll(new RegExp(`^tollbook_upstream_waiting\\{.*route="${id}".*\\} (\\d+)$`, 'gm'))];
    const sum = lines.reduce((total, line) => total + Number(line[1]), 0);
    if (sum !== count) throw new Error(`${sum} wait`);
    return true;
  });
}

/** Occupies the upstream, then lets the others queue in this order. */
async function queue(calls: readonly Call[], id: string): Promise<Promise<Reply>[]> {
  const replies = [send(await purchase(call(id, 'first')))];
  await arrived(1);
  for (const [index, next] of calls.entries()) {
    replies.push(send(await purchase(next)));
    await waiting(id, index + 1);
  }
  return replies;
}

describe('requests that wait for an upstream', () => {
  it('are served by what they paid for, not by when they came', async () => {
    const urgencies = [7, 3, 5, 0, 3];
    const calls = urgencies.map((urgency, n) => call('order', `${urgency}${'abcde'[n]}`, urgency));
    const replies = await queue(calls, 'order');
    for (let served = 1; served <= calls.length; served++) {
      answer();
      await arrived(served + 1);
    }
    answer();
    expect(at).toEqual(['first', '0d', '3b', '3e', '5c', '7a']);
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it.each(['full', 'late'])(
    'are refused if the queue is %s, not charged, and can pay with the same again',
    async (id) => {
      const replies = await queue(id === 'full' ? [call(id, 'second')] : [], id);
      const to = call(id, 'refused', 0);
      const offer = await ask(to);
      const payment = await sign(buyer, offer);
      const refused = await present(to, payment);
      expect([refused.status, codeOf(refused)]).toEqual([503, 'route_busy']);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(await books.stateOf(idOf(offer, payment))).toEqual({ status: 'unknown' });
      for (let served = 1; served <= replies.length; served++) {
        await arrived(served);
        answer();
      }
      await Promise.all(replies);
      const again = present(to, payment);
      await arrived(replies.length + 1);
      answer();
      expect(await again).toMatchObject({ status: 200 });
      expect(at.filter((n) => n === 'refused')).toHaveLength(1);
    },
  );

  it('leave the queue when their client goes away, and keep their payment', async () => {
    const [first] = await queue([], 'gone');
    const to = call('gone', 'leaver');
    const payment = await sign(buyer, await ask(to));
    const { url, headers } = withPayment(to, payment);
    const leaver = get(url, { headers, agent: false }).on('error', () => undefined);
    await waiting('gone', 1);
    leaver.destroy();
    await waiting('gone', 0);
    answer();
    expect(await first).toMatchObject({ status: 200 });
    const second = present(to, payment);
    await arrived(2);
    answer();
    expect(await second).toMatchObject({ status: 200 });
    expect(at).toEqual(['first', 'leaver']);
  });

  it('are passed by repeats, and are never strangers', async () => {
    const to = call('repeats', 'bought');
    const bought = await purchase(to);
    const first = send(bought);
    await arrived(1);
    answer();
    const { body } = await first;
    const blocking = send(await purchase(call('repeats', 'blocking')));
    await arrived(2);
    expect(await send(bought)).toMatchObject({ status: 200, body });
    const { payload, ...rest } = await sign(buyer, await ask(to));
    const forged = { ...rest, payload: { ...payload, signature: `0x${randomBytes(64).toString('hex')}1b` as const } };
    expect(offerOf(await present(to, forged)).error).toBe('invalid_exact_evm_payload_signature');
    await waiting('repeats', 0);
    answer();
    expect(await blocking).toMatchObject({ status: 200 });
  });

  it(`of ${CALLERS} at once at two gateways: as many run and wait as may, and the others keep their payments`, async () => {
    const calls = Array.from({ length: CALLERS }, (_, n) => call('crowd', `${n}`, 3, n % 2 === 0 ? app : other));
    const tickets = await Promise.all(calls.map(purchase));
    const refused: Reply[] = [];
    const replies = tickets.map(async (ticket) => {
      const reply = await send(ticket);
      if (reply.status !== 200) refused.push(reply);
      return reply;
    });
    const taken = 2 * (CROWD.limit + CROWD.queue);
    await eventually(() => refused.length === CALLERS - taken, 30_000);
    expect(new Set(refused.map((reply) => `${reply.status} ${codeOf(reply)}`))).toEqual(new Set(['503 route_busy']));
    await arrived(2 * CROWD.limit);
    for (let served = 0; served < taken; served++) {
      await eventually(() => held.length > 0);
      expect(held.length).toBeLessThanOrEqual(2 * CROWD.limit);
      answer();
    }
    expect((await Promise.all(replies)).filter(({ status }) => status === 200)).toHaveLength(taken);
    expect(at).toHaveLength(taken);
  }, 60_000);

  it('need not wait for the settlement of those before them', async () => {
    const first = open(await purchase(call('after', 'first')));
    await arrived(1);
    const second = send(await purchase(call('after', 'second')));
    await waiting('after', 1);
    answer();
    await arrived(2);
    answer();
    expect((await first).statusCode).toBe(200);
    expect(await second).toMatchObject({ status: 200 });
  });

  it('make an offer dearer whose price looks at the load, until the upstream is free again', async () => {
    const amountOf = async () => offerOf(await send(call('surge'))).accepts[0]!.amount;
    expect(await amountOf()).toBe('1000');
    const first = send(await purchase(call('surge', 'first')));
    await arrived(1);
    expect(await amountOf()).toBe('3000');
    answer();
    expect(await first).toMatchObject({ status: 200 });
    expect(await amountOf()).toBe('1000');
  });
});
