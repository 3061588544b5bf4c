import type { LocalAccount } from 'viem';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import { codeOf } from '../support/http.js';
import {
  addressOf,
  ask,
  buy,
  idOf,
  newBuyer,
  offerOf,
  type Payment,
  present,
  sign,
  signV1,
} from '../support/payment.js';
import { startSibling } from '../support/sibling.js';

const PRESENTATIONS = 64;
const BALANCE = 1_000_000n;
const SETTLE_MS = 20_000;

let first: App;
let second: App;
let worker: App;
let books: Books;

beforeAll(async () => {
  first = await startApp({ env: { ROLE: 'gateway' } });
  books = new Books(first.engines);
  [second, worker] = await Promise.all([startSibling(first, 'gateway'), startSibling(first, 'worker')]);
});

afterAll(async () => {
  await books?.close();
  await Promise.all([worker?.stop(), second?.stop()]);
  await first?.stop();
});

const weather = () => ({ url: `${first.gateway}/demo/weather` });
const slow = () => ({ url: `${first.gateway}/demo/slow` });

/** A payer that both gateways know, so that `async` routes answer it at once. */
async function knownBuyer(): Promise<LocalAccount> {
  const buyer = await newBuyer(first, BALANCE);
  for (const { gateway } of [first, second]) {
    expect(await buy(buyer, { url: `${gateway}/demo/weather` })).toMatchObject({ status: 200 });
  }
  return buyer;
}

/** Half of the presentations to each gateway, all at once. */
function presentEverywhere(path: string, payment: Payment) {
  const replies = Array.from({ length: PRESENTATIONS }, (_, index) => {
    const { gateway } = index % 2 === 0 ? first : second;
    return present({ url: gateway + path }, payment);
  });
  return Promise.all(replies);
}

describe('one authorization presented 64 times at once at two gateways', () => {
  it.each([
    ['async', '/demo/weather', 2],
    ['after', '/demo/slow', 0],
  ])('on an %s route runs once, answers all alike and moves money once', async (mode, path, earlier) => {
    const buyer = mode === 'async' ? await knownBuyer() : await newBuyer(first, BALANCE);
    const offer = await ask({ url: first.gateway + path });
    const payment = await sign(buyer, offer);
    const id = idOf(offer, payment);

    const replies = await presentEverywhere(path, payment);

    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
    expect(new Set(replies.map(({ headers }) => headers['payment-response'])).size).toBe(1);
    expect(replies[0]!.headers['payment-response']).toBeDefined();
    expect(await books.runsOf(id)).toBe(1);
    await eventually(() => books.is(id, 'settled'), SETTLE_MS);
    expect((await books.eventsOf(id))[0]).toMatchObject({ type: 'PaymentAuthorized', data: { mode } });
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(earlier + 1);

    const later = await present({ url: second.gateway + path }, payment);
    expect(later).toMatchObject({ status: 200, body: replies[0]!.body });
    expect(later.headers['payment-response']).toBe(replies[0]!.headers['payment-response']);
  });
});

describe('one version 1 authorization for 64 different requests at once', () => {
  it('buys exactly one of them, though the price of each is the same', async () => {
    const buyer = await knownBuyer();
    const offer = await ask(weather());
    const payment = await signV1(buyer, offer);
    const replies = await Promise.all(
      Array.from({ length: PRESENTATIONS }, (_, index) => {
        const { gateway } = index % 2 === 0 ? first : second;
        return present({ url: `${gateway}/demo/weather?day=${index}` }, payment);
      }),
    );
    const refused = replies.filter(({ status }) => status !== 200);
    expect(refused.map(codeOf)).toEqual(Array(PRESENTATIONS - 1).fill('authorization_used_elsewhere'));
    expect(await books.runsOf(idOf(offer, payment))).toBe(1);
  });
});

describe('an authorization that bought something', () => {
  it('buys no other request, at neither gateway', async () => {
    const buyer = await newBuyer(first, BALANCE);
    const payment = await sign(buyer, await ask(weather()));
    expect(await present(weather(), payment)).toMatchObject({ status: 200 });
    const other = await ask(slow());
    const moved = { ...payment, accepted: other.accepts[0] };
    const requests = [
      [`${first.gateway}/demo/weather?again`, payment],
      [`${second.gateway}/demo/slow`, payment],
      [`${second.gateway}/demo/slow`, moved],
    ] as const;
    for (const [url, tried] of requests) {
      const reply = await present({ url }, tried);
      expect([url, reply.status, codeOf(reply)]).toEqual([url, 409, 'authorization_used_elsewhere']);
    }
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(1);
  });

  it('shows its answer to the holder of the whole payment only', async () => {
    const buyer = await newBuyer(first, BALANCE);
    const payment = await sign(buyer, await ask(weather()));
    expect(await present(weather(), payment)).toMatchObject({ status: 200 });
    const { accepts } = await ask(weather());
    const { authorization, signature } = payment.payload;
    const altered: Payment[] = [
      { ...payment, accepted: accepts[0] },
      { ...payment, extensions: { mine: true } },
      { x402Version: 1, scheme: 'exact', network: 'base-sepolia', payload: { authorization, signature } },
    ];
    for (const tried of altered) {
      const reply = await present(weather(), tried);
      expect([reply.status, codeOf(reply)]).toEqual([409, 'replay_needs_same_payment']);
    }
    const forged = { authorization, signature: `0x${'11'.repeat(64)}1b` } as const;
    const refused = await present(weather(), { ...payment, payload: forged });
    expect(offerOf(refused).error).toBe('invalid_exact_evm_payload_signature');
  });

  it('in version 1 shows it until the authorization is broadcast', async () => {
    const buyer = await knownBuyer();
    await worker.kill('SIGTERM');
    const offer = await ask(weather());
    const payment = await signV1(buyer, offer);
    const answer = await present(weather(), payment);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-payment-response': expect.any(String) } });
    const repeated = await present({ url: `${second.gateway}/demo/weather` }, payment);
    expect(repeated).toMatchObject({ status: 200, body: answer.body });
    expect(repeated.headers['x-payment-response']).toBe(answer.headers['x-payment-response']);

    await worker.stop();
    worker = await startSibling(first, 'worker');
    await eventually(() => books.is(idOf(offer, payment), 'settled'), SETTLE_MS);

    const closed = await present(weather(), payment);
    expect([closed.status, codeOf(closed)]).toEqual([409, 'replay_closed']);
    expect(await books.runsOf(idOf(offer, payment))).toBe(1);
  });
});
