import type { LocalAccount } from 'viem';
import { PublishRoute, PublishTariff } from '../../src/domains/pricing/catalogue.decide.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { type Call, send } from '../support/http.js';
import { addressOf, ask, buy, newBuyer, offerOf, present, sign, signV1 } from '../support/payment.js';
import { flat, publish, routeWith } from '../support/publishing.js';

const HEADER_BUDGET = 8 * 1024;
const EXPOSED =
  'PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, Tollbook-Payment, Tollbook-Refund, RateLimit, RateLimit-Policy, Retry-After';
const jsonType = { 'content-type': 'application/json' };

let app: App;
let books: Books;
let buyer: LocalAccount;

beforeAll(async () => {
  app = await startApp();
  books = new Books(app.engines);
  buyer = await newBuyer(app, 1_000_000n);
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
});

const weather = (changes: Partial<Call> = {}): Call => ({ url: `${app.gateway}/demo/weather`, ...changes });
const query = (text: string, headers = {}): Call => ({
  url: `${app.gateway}/demo/query`,
  method: 'POST',
  headers: { ...jsonType, ...headers },
  body: JSON.stringify({ query: text }),
});
const routes: [string, () => Call][] = [
  ['GET /demo/weather', weather],
  ['GET /demo/files/report.txt', () => ({ url: `${app.gateway}/demo/files/report.txt` })],
  ['POST /demo/query', () => query('select 1')],
  [
    'POST /demo/completions',
    () => ({ ...query(''), url: `${app.gateway}/demo/completions`, body: JSON.stringify({ prompt: 'hello' }) }),
  ],
  ['GET /demo/slow', () => ({ url: `${app.gateway}/demo/slow` })],
];

describe('the 402', () => {
  it.each(routes)('of %s fits the header budget, is never cached and can be read by scripts', async (_name, call) => {
    const reply = await send(call());
    expect(reply.status).toBe(402);
    expect(JSON.stringify(reply.headers).length + reply.body.length).toBeLessThan(HEADER_BUDGET);
    expect(reply.headers).toMatchObject({
      'cache-control': 'no-store',
      'access-control-expose-headers': EXPOSED,
      'access-control-allow-origin': '*',
    });
    const { accepts, resource } = offerOf(reply);
    const v1 = JSON.parse(reply.body);
    expect(v1).toMatchObject({ x402Version: 1, accepts: [{ maxAmountRequired: accepts[0].amount }] });
    expect(v1.accepts[0].resource).toBe(resource.url);
  });

  it('exposes payment headers on paid answers and on conflicts too', async () => {
    const payment = await sign(buyer, await ask(weather()));
    const paid = await present(weather(), payment);
    const conflict = await present(weather({ url: `${app.gateway}/demo/weather?other` }), payment);
    expect([paid.status, conflict.status]).toEqual([200, 409]);
    for (const { headers } of [paid, conflict]) {
      expect(headers).toMatchObject({
        'access-control-expose-headers': EXPOSED,
        'access-control-allow-origin': '*',
        'cache-control': expect.stringContaining('no-store'),
      });
    }
  });

  it('protects HEAD like GET, and sells it', async () => {
    const head = weather({ method: 'HEAD' });
    const free = await send(head);
    expect(free).toMatchObject({ status: 402, body: '' });
    const paid = await present(head, await sign(buyer, offerOf(free)));
    expect(paid).toMatchObject({ status: 200, body: '', headers: { 'payment-response': expect.any(String) } });
  });

  it('lets browsers ask first: preflight is free and allows the payment headers', async () => {
    const asks = { origin: 'https://shop.example', 'access-control-request-method': 'GET' };
    const reply = await send(weather({ method: 'OPTIONS', headers: asks }));
    expect(reply).toMatchObject({ status: 204, body: '', headers: { 'access-control-allow-origin': '*' } });
    expect(reply.headers['access-control-allow-headers']).toMatch(/PAYMENT-SIGNATURE.*X-PAYMENT/);
    expect(reply.headers['access-control-allow-methods']).toContain('GET');
  });

  it('is a page for people, with an offer for programs in its header', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const reply = await send(weather({ headers: { accept } }));
    expect(reply.headers['content-type']).toMatch(/^text\/html/);
    expect(reply.body).toMatch(/<html/i);
    expect(offerOf(reply).accepts).toHaveLength(1);
  });

  it('carries a quote of its own each time', async () => {
    const offers = await Promise.all(Array.from({ length: 50 }, () => ask(weather())));
    expect(new Set(offers.map(({ accepts }) => accepts[0].extra.quote)).size).toBe(50);
  });

  it('names the resource by PUBLIC_URL, whatever the request says', async () => {
    const lies = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    const reply = await send(weather({ headers: { ...lies, 'x-forwarded-proto': 'gopher' } }));
    expect(offerOf(reply).resource.url).toBe(`${app.gateway}/demo/weather`);
    expect(JSON.stringify(reply.headers) + reply.body).not.toMatch(/evil|gopher/);
  });
});

describe('a quote is good for what it was given for', () => {
  /** Refused before money or signature matter, so the payer owns nothing. */
  async function refusalOf(call: Call, change: (offer: Awaited<ReturnType<typeof ask>>) => object, asked = call) {
    const offer = await ask(asked);
    const poor = await newBuyer(app, 0n);
    const payment = await sign(poor, { ...offer, accepts: [{ ...offer.accepts[0], ...change(offer) }] });
    const fresh = offerOf(await present(call, payment));
    expect(fresh.accepts[0].extra.quote).not.toBe(offer.accepts[0].extra.quote);
    expect(await books.admissionsOf(addressOf(poor))).toBe(0);
    return fresh.error;
  }

  const at = (quote: string, index: number) =>
    quote.slice(0, index) + (quote[index] === 'A' ? 'B' : 'A') + quote.slice(index + 1);
  const parts: [string, number, string][] = [
    ['key', 0, 'quote_invalid'],
    ['id', 3, 'quote_invalid'],
    ['expiry', 27, 'quote_invalid'],
    ['tariff version', 34, 'quote_invalid'],
    ['request', 40, 'quote_for_another_request'],
    ['MAC', 50, 'quote_invalid'],
  ];

  it.each(parts)('and refused with another %s', async (_part, index, reason) => {
    const change = ({ accepts: [{ extra }] }: Awaited<ReturnType<typeof ask>>) => ({
      extra: { ...extra, quote: at(extra.quote, index) },
    });
    expect(await refusalOf(weather(), change)).toBe(reason);
  });

  const NOBODY = `0x${'ab'.repeat(20)}`;
  const terms: [string, object, string][] = [
    ['a lower amount', { amount: '1' }, 'quote_invalid'],
    ['another payee', { payTo: NOBODY }, 'invalid_exact_evm_payload_recipient_mismatch'],
    ['another token', { asset: NOBODY }, 'invalid_payment_requirements'],
    ['another network', { network: 'eip155:1' }, 'invalid_network'],
    ['another lifetime', { maxTimeoutSeconds: 301 }, 'invalid_payment_requirements'],
    ['no quote', { extra: { name: 'USDC', version: '2' } }, 'quote_missing'],
    ['a longer quote', { extra: { name: 'USDC', version: '2', quote: 'q'.repeat(500) } }, 'quote_invalid'],
  ];

  it.each(terms)('and refused with %s', async (_what, change, reason) => {
    expect(await refusalOf(weather(), () => change)).toBe(reason);
  });

  const requests: [string, () => Call, () => Call, string][] = [
    ['another route', routes[4]![1], weather, 'quote_for_another_request'],
    ['another query', () => weather({ url: `${weather().url}?day=2` }), weather, 'quote_for_another_request'],
    ['another body', () => query('select 2'), () => query('select 1'), 'quote_for_another_request'],
    ['HEAD', () => weather({ method: 'HEAD' }), weather, 'quote_for_another_request'],
    [
      'a dearer priority',
      () => query('select 1', { priority: 'u=0' }),
      () => query('select 1', { priority: 'u=7' }),
      'quote_invalid',
    ],
  ];

  it.each(requests)('and refused for %s', async (_what, call, asked, reason) => {
    expect(await refusalOf(call(), () => ({}), asked())).toBe(reason);
  });

  it('and refused if less is signed than was asked', async () => {
    const payment = await sign(buyer, await ask(weather()), { value: '999' });
    expect(offerOf(await present(weather(), payment)).error).toBe(
      'invalid_exact_evm_payload_authorization_value_mismatch',
    );
  });

  it('and refused once its time is over', async () => {
    const brief = routeWith({ id: 'brief', tenant: 'demo', tariff: 'weather', maxTimeoutSeconds: 7, timeoutMs: 1000 });
    await publish(app.engines.postgres, [new PublishRoute(brief)]);
    const call = { url: `${app.gateway}/brief` };
    const offer = await eventually(() => ask(call));
    const poor = await newBuyer(app, 0n);
    const inAMinute = String(Math.floor(Date.now() / 1000) + 60);
    const payment = await sign(poor, offer, { validBefore: inAMinute });
    expect(offerOf(await present(call, payment)).error).toBe('insufficient_funds');
    await eventually(async () => offerOf(await present(call, payment)).error === 'quote_expired', 15_000);
  });
});

describe('when the price changes between offer and payment', () => {
  it('the old quote is honoured, and version 1 pays the old or the new list price', async () => {
    expect(await buy(buyer, weather())).toMatchObject({ status: 200 });
    const old = await ask(weather());
    const before = old.accepts[0].amount;
    const after = String(BigInt(before) * 2n);
    await publish(app.engines.postgres, [new PublishTariff('demo', 'weather', flat(after))]);
    const now = await eventually(async () => {
      const offer = await ask(weather());
      return offer.accepts[0].amount === after && offer;
    });

    const paid = await present(weather(), await sign(buyer, old));
    expect(paid.status).toBe(200);
    for (const [value, error] of [
      [before, undefined],
      [after, undefined],
      [String(BigInt(before) + 1n), 'price_not_in_force'],
    ]) {
      const reply = await present(weather(), await signV1(buyer, now, { value }));
      expect([value, reply.status]).toEqual([value, error ? 402 : 200]);
      if (error) expect(offerOf(reply).error).toBe(error);
    }
    const { accepts, ...rest } = now;
    const cheap = { ...rest, accepts: [{ ...accepts[0], amount: before }] as const };
    expect(offerOf(await present(weather(), await sign(buyer, cheap))).error).toBe('quote_invalid');
  });
});
