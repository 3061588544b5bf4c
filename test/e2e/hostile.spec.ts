import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LocalAccount } from 'viem';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { chunked, notPayments, oddPurchases, oddRequests, oddSales, spoilt, weatherWith } from '../support/hostile.js';
import { type Call, type Reply, send } from '../support/http.js';
import { addressOf, ask, buy, encode, newBuyer, offerOf, sign, signV1 } from '../support/payment.js';
import { type RawReply, sendRaw } from '../support/raw-http.js';

const AT_ONCE = 16;
const OFFERS_AFTERWARDS = 50;
/** Forty milliseconds for each: many times what it needs, far less than a server that is stuck. */
const OFFERS_MS = 2_000;

let app: App;
let address: string;
let books: Books;
let buyer: LocalAccount;

beforeAll(async () => {
  app = await startApp();
  address = app.gateway.replace('localhost', '127.0.0.1');
  books = new Books(app.engines);
  buyer = await newBuyer(app, 1_000_000n);
});

afterAll(async () => {
  await books?.close();
  await app?.stop();
});

/** Sends all of them, some at once; what `judge` says of those that were not answered as they should. */
async function wrongAnswers(
  requests: readonly (readonly [what: string, bytes: string])[],
  judge: (reply: RawReply) => boolean,
): Promise<string[]> {
  const left = [...requests];
  const wrong: string[] = [];
  const worker = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const reply = await sendRaw(address, next[1]);
      if (!judge(reply)) wrong.push(`${next[0]} -> ${reply.status} ${reply.body.slice(0, 120)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return wrong;
}

const named = (requests: readonly string[]) => requests.map((bytes) => [bytes.slice(0, 120), bytes] as const);
const isOffer = ({ body, head, status }: RawReply) =>
  status === 402 && /^payment-required:/im.test(head) && !body.includes('runId');

function isProblem({ body, head, status }: RawReply): boolean {
  if (status < 400 || status > 499 || status === 402) return false;
  if (!/^content-type: application\/problem\+json/im.test(head)) return false;
  const problem = JSON.parse(body) as { code?: unknown; status?: unknown };
  return typeof problem.code === 'string' && problem.status === status;
}

function parsed({ body, head, status }: RawReply): Reply {
  const required = /^payment-required: ([^\r]*)/im.exec(head)?.[1];
  return { status, body, headers: { 'payment-required': required as string } as Reply['headers'] };
}

const refused = (reply: RawReply) => isOffer(reply) || isProblem(reply);

describe('hostile requests', () => {
  it('with headers that are no payment are told so', async () => {
    const requests = ['PAYMENT-SIGNATURE', 'X-PAYMENT'].flatMap((name) =>
      notPayments.map((value) => [`${name}: ${value.slice(0, 60)}`, weatherWith(`${name}: ${value}`)] as const),
    );
    expect(await wrongAnswers(requests, (reply) => isProblem(reply) && reply.status === 400)).toEqual([]);
  });

  it('with payments of which one member is wrong are refused', async () => {
    const offer = await ask({ url: `${app.gateway}/demo/weather` });
    const v2 = [...spoilt({ ...(await sign(buyer, offer)), extensions: undefined })];
    const v1 = [...spoilt(await signV1(buyer, offer))];
    const requests = [
      ...v2.map(([what, header]) => [`v2 ${what}`, weatherWith(`PAYMENT-SIGNATURE: ${header}`)] as const),
      ...v1.map(([what, header]) => [`v1 ${what}`, weatherWith(`X-PAYMENT: ${header}`)] as const),
    ];
    expect(requests.length).toBeGreaterThan(600);
    expect(await wrongAnswers(requests, refused)).toEqual([]);
  });

  it('with more than one payment are refused, however good each is', async () => {
    const offer = await ask({ url: `${app.gateway}/demo/weather` });
    const [v2, v1] = [encode(await sign(buyer, offer)), encode(await signV1(buyer, offer))];
    const requests = [
      weatherWith(`PAYMENT-SIGNATURE: ${v2}`, `PAYMENT-SIGNATURE: ${v2}`),
      weatherWith(`X-PAYMENT: ${v1}`, `x-payment: ${v1}`),
      weatherWith(`X-PAYMENT: ${v1}`, `PAYMENT-SIGNATURE: ${v2}`),
      weatherWith(`PAYMENT-SIGNATURE: ${v2}, ${v2}`),
      weatherWith(`PAYMENT-SIGNATURE: ${v2},`),
      weatherWith(`PAYMENT-SIGNATURE: ${v1}`),
      weatherWith(`X-PAYMENT: ${v2}`),
      weatherWith(`PAYMENT-SIGNATURE: ${v2}`, 'X-PAYMENT: x'),
      weatherWith(`payment_signature: ${v2}`, 'X-Payment-Response: x'),
      weatherWith(`Authorization: x402 ${v2}`),
    ];
    expect(await wrongAnswers(named(requests), refused)).toEqual([]);
  });

  it('with other spellings of paths, methods and lengths are refused', async () => {
    expect(await wrongAnswers(named(oddRequests), refused)).toEqual([]);
  });

  it('with a head too long are told so, and not cut off while they still send', async () => {
    const { hostname, port } = new URL(address);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const closed = once(socket, 'close');
    socket.write(`GET /demo/weather HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('HTTP/1.1 431 ');
    // A connection that is cut answers a piece by a reset, which the next one meets.
    for (let piece = 0; piece < 8; piece++) {
      socket.write('a'.repeat(20_000));
      await pause(10);
    }
    socket.end();
    // Rejects if the connection was reset.
    expect(await closed).toEqual([false]);
  });

  it('with strange words for the price are quoted all the same', async () => {
    expect(await wrongAnswers(named(oddSales), isOffer)).toEqual([]);
  });

  it('that are strange and right are sold and delivered', async () => {
    const customer = await newBuyer(app, 1_000_000n);
    const lineFor = async (call: Call) => `PAYMENT-SIGNATURE: ${encode(await sign(customer, await ask(call)))}\r\n`;
    const requests: [string, string][] = [];
    for (const [target, request] of oddPurchases) {
      const offered = offerOf(parsed(await sendRaw(address, request(''))));
      const payment = encode(await sign(customer, offered));
      requests.push([target, request(`PAYMENT-SIGNATURE: ${payment}\r\n`)]);
    }
    const url = `${app.gateway}/demo/query`;
    const body = JSON.stringify({ query: 'select 1' });
    requests.push(['chunked', chunked('/demo/query', await lineFor({ url, method: 'POST', body }), body)]);
    expect(await wrongAnswers(requests, ({ body, status }) => status === 200 && body.includes('runId'))).toEqual([]);
  });

  it('bought nothing and did no harm', async () => {
    expect(await books.admissionsOf(addressOf(buyer))).toBe(0);
    expect(app.output()).not.toMatch(/request failed|internal_error/);
    expect(await send({ url: `${app.gateway}/health/ready` })).toMatchObject({ status: 200 });
    const started = performance.now();
    for (let count = 0; count < OFFERS_AFTERWARDS; count++) await ask({ url: `${app.gateway}/demo/weather` });
    expect(performance.now() - started).toBeLessThan(OFFERS_MS);
    expect(await buy(buyer, { url: `${app.gateway}/demo/weather` })).toMatchObject({ status: 200 });
  });
});
