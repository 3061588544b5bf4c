import { once } from 'node:events';
import { request as httpRequest, type RequestListener } from 'node:http';
import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { verifyStamp } from '../../src/edges/gateway/upstream/upstream-signature.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, open, send } from '../support/http.js';
import { addressOf, ask, buy, idOf, newBuyer, present, sign, withPayment } from '../support/payment.js';
import { freePort } from '../support/ports.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const SETTLE_MS = 20_000;
const SECRET = 'an upstream secret for the delivery spec';
const ROUTES = ['broken', 'missing', 'sold404', 'hang', 'slam', 'cut', 'echo', 'stream', 'fine'];

let app: App;
let books: Books;
let upstream: CountingUpstream;
/** Lets the upstream's stream end. */
let release: () => unknown = () => undefined;

beforeAll(async () => {
  [app, upstream] = await Promise.all([startApp(), countingUpstream(answer)]);
  books = new Books(app.engines);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const places = { shop: upstream.url, nowhere: nobody, inside: upstream.url };
  await publish(
    app.engines.postgres,
    Object.entries(places).flatMap(([id, url]) => [
      new RegisterTenant(
        tenantWith({
          ...{ id, host: `${id}.example`, upstream: url, upstreamSecret: SECRET },
          allowPrivateUpstream: id !== 'inside',
        }),
      ),
      new PublishTariff(id, 'flat', flat('1000')),
      ...ROUTES.map((route) => new PublishRoute(routeOf(id, route))),
    ]),
  );
  await eventually(() => Promise.all(Object.keys(places).map((id) => ask(at(id, 'fine')))));
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
  await upstream?.stop();
});

function routeOf(tenant: string, id: string) {
  const timeoutMs = id === 'hang' ? 300 : 10_000;
  return routeWith({ id, tenant, timeoutMs, chargeClientErrors: id === 'sold404' });
}

const answer: RequestListener = (request, reply) => {
  const path = request.url!.slice(1).split('?')[0]!;
  const say = (status: number) => reply.writeHead(status, { 'content-type': 'text/plain' });
  switch (path) {
    case 'broken':
      return void say(500).end('it broke');
    case 'missing':
    case 'sold404':
      return void say(404).end('not here');
    case 'hang':
      return;
    case 'slam':
      return void request.socket.destroy();
    case 'cut':
      reply.writeHead(200, { 'content-length': 200_000 });
      return void reply.write('x'.repeat(100_000), () => reply.destroy());
    case 'stream':
      say(200).write('first ');
      release = () => reply.writableEnded || reply.end('last');
      return;
    default:
      return void say(200).end(JSON.stringify(request.rawHeaders));
  }
};

function at(tenant: string, path: string): Call {
  return { url: `${app.gateway}/${path}`, headers: { host: `${tenant}.example` } };
}

/** Paid once at this tenant and so known; the transfer of that is the first of all. */
async function knownBuyer(tenant = 'shop'): Promise<LocalAccount> {
  const buyer = await newBuyer(app, 1_000_000n);
  if (tenant === 'shop') expect(await buy(buyer, at(tenant, 'fine'))).toMatchObject({ status: 200 });
  else expect(await buy(buyer, { url: `${app.gateway}/demo/weather` })).toMatchObject({ status: 200 });
  return buyer;
}

/** Buys one thing more and waits for its transfer: whatever else would have been charged has had its turn. */
async function transfersAfterAnother(buyer: LocalAccount): Promise<number> {
  const call = at('shop', 'fine');
  const offer = await ask(call);
  const payment = await sign(buyer, offer);
  await present(call, payment);
  await eventually(() => books.is(idOf(offer, payment), 'settled'), SETTLE_MS);
  return (await books.transfersFrom(addressOf(buyer))).length;
}

describe('an upstream that fails costs nothing, and a repeat gets the same answer without another run', () => {
  const failures: [string, string, number, string, number][] = [
    ['shop', 'broken', 500, 'it broke', 1],
    ['shop', 'missing', 404, 'not here', 1],
    ['shop', 'hang', 504, 'upstream_timeout', 1],
    ['shop', 'slam', 502, 'upstream_broke_off', 1],
    ['nowhere', 'fine', 502, 'upstream_unreachable', 0],
    ['inside', 'fine', 502, 'upstream_forbidden', 0],
  ];
  const cases = failures.flatMap(([tenant, path, status, body, runs]) =>
    (['known', 'new'] as const).map((payer) => ({ tenant, path, status, body, runs, payer })),
  );

  it.each(cases)(
    '$tenant/$path answers a $payer payer $status',
    async ({ tenant, path, status, body, runs, payer }) => {
      const buyer = payer === 'known' ? await knownBuyer(tenant) : await newBuyer(app, 1_000_000n);
      const offer = await ask(at(tenant, path));
      const payment = await sign(buyer, offer);
      const before = upstream.runs();

      const replies = [await present(at(tenant, path), payment), await present(at(tenant, path), payment)];

      expect(replies[0]).toMatchObject({ status, body: expect.stringContaining(body) });
      expect(replies[1]).toMatchObject({ status, body: replies[0]!.body });
      expect(replies[0]!.headers['payment-response']).toBeUndefined();
      expect(upstream.runs() - before).toBe(runs);
      const mode = payer === 'known' ? 'async' : 'after';
      expect(await books.stateOf(idOf(offer, payment))).toMatchObject({ status: 'released', authorized: { mode } });
      expect(await transfersAfterAnother(buyer)).toBe(payer === 'known' ? 2 : 1);
    },
  );

  it('cuts the answer off where the upstream did, and charges nothing', async () => {
    const buyer = await knownBuyer();
    const offer = await ask(at('shop', 'cut'));
    const payment = await sign(buyer, offer);
    await expect(present(at('shop', 'cut'), payment)).rejects.toThrow(/aborted|hang up/);
    await eventually(() => books.is(idOf(offer, payment), 'released'));
    const repeated = await present(at('shop', 'cut'), payment);
    expect([repeated.status, codeOf(repeated)]).toEqual([502, 'upstream_broke_off']);
    expect(await transfersAfterAnother(buyer)).toBe(2);
  });

  it('charges for a 404 where the route says so', async () => {
    const buyer = await knownBuyer();
    const reply = await buy(buyer, at('shop', 'sold404'));
    expect(reply).toMatchObject({ status: 404, headers: { 'payment-response': expect.any(String) } });
    await eventually(async () => (await books.transfersFrom(addressOf(buyer))).length === 2, SETTLE_MS);
  });
});

describe('an answer on its way', () => {
  it('reaches the buyer piece by piece, before the upstream has ended', async () => {
    const buyer = await knownBuyer();
    const call = at('shop', 'stream');
    const message = await open(withPayment(call, await sign(buyer, await ask(call))));
    const pieces: string[] = [];
    for await (const piece of message.setEncoding('utf8')) {
      pieces.push(piece);
      release();
    }
    expect(pieces).toEqual(['first ', 'last']);
  });

  it('of the demo completions is a stream of events', async () => {
    const buyer = await knownBuyer('demo');
    const call: Call = {
      ...{ url: `${app.gateway}/demo/completions`, method: 'POST', body: JSON.stringify({ prompt: 'hello' }) },
      headers: { 'content-type': 'application/json' },
    };
    const message = await open(withPayment(call, await sign(buyer, await ask(call))));
    expect(message.headers['content-type']).toBe('text/event-stream');
    const pieces: string[] = [];
    for await (const piece of message.setEncoding('utf8')) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('')).toMatch(/^data: \{"runId":"[0-9a-f]{16}"\}\n\n.*data: \[DONE\]\n\n$/s);
  });

  it('is kept for a buyer that goes away in the middle of it', async () => {
    const buyer = await knownBuyer();
    const call = at('shop', 'stream');
    const offer = await ask(call);
    const payment = await sign(buyer, offer);
    const before = upstream.runs();
    const message = await open(withPayment(call, payment));
    const [piece] = await once(message.setEncoding('utf8'), 'data');
    expect(piece).toBe('first ');
    message.destroy();
    release();
    expect(await present(call, payment)).toMatchObject({ status: 200, body: 'first last' });
    expect(upstream.runs() - before).toBe(1);
    expect(await transfersAfterAnother(buyer)).toBe(3);
  });

  it('is kept for a buyer that goes away before it begins', async () => {
    const buyer = await newBuyer(app, 1_000_000n);
    const call = { url: `${app.gateway}/demo/slow` };
    const offer = await ask(call);
    const payment = await sign(buyer, offer);
    const { headers } = withPayment(call, payment);
    const lost = httpRequest(call.url, { headers, agent: false }).on('error', () => undefined);
    lost.end();
    await eventually(async () => (await books.runsOf(idOf(offer, payment))) === 1);
    lost.destroy();
    expect(await present(call, payment)).toMatchObject({ status: 200, body: expect.stringContaining('runId') });
    expect(await books.runsOf(idOf(offer, payment))).toBe(1);
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(1);
  });
});

describe('what the upstream is told', () => {
  it('is who paid, by us alone: payment headers and words in our name stay here', async () => {
    const buyer = await knownBuyer();
    const lies = {
      'tollbook-payment': 'pay_00000000000000000000000000000000',
      'Tollbook-Payer': '0x0000000000000000000000000000000000000000',
      tollbook_amount: '1',
      payment_signature: 'x',
      'x-forwarded-for': '10.0.0.1',
      'x-original-url': '/broken',
      connection: 'close, x-secret-hop',
      'x-secret-hop': '1',
      'x-of-the-buyer': 'kept',
    };
    const call = { ...at('shop', 'echo'), headers: { ...at('shop', 'echo').headers, ...lies } };
    // Without them: an offer for the payer that is named would be locked to it.
    const offer = await ask(at('shop', 'echo'));
    const payment = await sign(buyer, offer);
    const reply = await present(call, payment);
    expect(reply.status).toBe(200);
    const raw = JSON.parse(reply.body) as string[];
    const received = new Map<string, string>();
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index]!.toLowerCase();
      expect([name, received.has(name)]).toEqual([name, false]);
      received.set(name, raw[index + 1]!);
    }
    const names = [...received.keys()].join(' ');
    expect(names).not.toMatch(/payment[-_]signature|x-payment|tollbook_|forwarded|original|secret-hop/);
    expect(received.get('x-of-the-buyer')).toBe('kept');
    expect(verifyStamp(Object.fromEntries(received), SECRET, Date.now())).toMatchObject({
      payment: idOf(offer, payment),
      payer: addressOf(buyer),
      amount: '1000',
    });
    expect(await send(at('shop', 'echo'))).toMatchObject({ status: 402 });
  });
});
