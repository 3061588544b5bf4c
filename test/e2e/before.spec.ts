import { request as httpRequest, type RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestClient, http, type LocalAccount } from 'viem';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { PublishRoute, PublishTariff, RegisterTenant } from '../../src/domains/pricing/catalogue.decide.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { payingFetch, testAccount } from '../support/buyer.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf } from '../support/http.js';
import {
  addressOf,
  ask,
  buy,
  idOf,
  newBuyer,
  type Payment,
  present,
  settlementOf,
  sign,
  signV1,
  withPayment,
} from '../support/payment.js';
import { flat, publish, routeWith, tenantWith } from '../support/publishing.js';
import { run } from '../support/run.js';
import { startSibling } from '../support/sibling.js';
import { expectFoundAsPaid } from '../support/undelivered.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';
import { mintUsdc, transferUsdc } from '../support/usdc.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PRICE = 1000n;
const SETTLE_MS = 20_000;
const ROUTES = ['goes', 'fails', 'hangs', 'missing', 'fresh', 'racing', 'narrow'];

let app: App;
let other: App;
let books: Books;
let upstream: CountingUpstream;
const runs: string[] = [];

beforeAll(async () => {
  app = await startApp();
  [other, upstream] = await Promise.all([startSibling(app, 'gateway'), countingUpstream(answer)]);
  books = new Books(app.engines);
  await publish(app.engines.postgres, [
    new RegisterTenant(tenantWith({ id: 'first', host: '127.0.0.1', upstream: upstream.url })),
    new PublishTariff('first', 'flat', flat(PRICE.toString())),
    ...ROUTES.map((id) => new PublishRoute(routeOf(id))),
  ]);
  for (const gateway of [app, other]) await eventually(() => ask(at('narrow', gateway)), SETTLE_MS);
});
afterAll(async () => {
  await other?.stop();
  await books?.close();
  await app?.stop();
  await upstream?.stop();
});
afterEach(() => holdChain(false));

function routeOf(id: string) {
  const timeoutMs = id === 'hangs' ? 300 : 10_000;
  const narrow = id === 'narrow' ? { upstreamConcurrency: { limit: 1, queue: 0, waitMs: 0 } } : {};
  return routeWith({ id, tenant: 'first', mode: 'before', timeoutMs, ...narrow });
}

const answer: RequestListener = (request, reply) => {
  const payment = String(request.headers['tollbook-payment']);
  runs.push(payment);
  if (request.url === '/hangs') return;
  reply.statusCode = request.url === '/fails' ? 500 : request.url === '/missing' ? 404 : 200;
  reply.setHeader('content-type', 'application/json');
  reply.end(JSON.stringify({ run: runs.length }));
};

function at(path: string, { gateway } = app): Call {
  return { url: `${gateway.replace('localhost', '127.0.0.1')}/${path}` };
}

/** Stops the chain from making blocks, or lets it go on. */
async function holdChain(hold: boolean): Promise<void> {
  const node = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) });
  await node.setAutomine(!hold);
  if (!hold) await node.mine({ blocks: 1 });
}

const runsOf = (id: PaymentId) => runs.filter((one) => one === id).length;

/** A signed payment for a route, not presented yet. */
async function signed(buyer: LocalAccount, path: string): Promise<{ id: PaymentId; payment: Payment }> {
  const offer = await ask(at(path));
  const payment = await sign(buyer, offer);
  return { id: idOf(offer, payment), payment };
}

/** Presents a payment, goes away when it is sent to a chain that makes no blocks, and lets it settle. */
async function abandoned(path: string, payment: Payment, id: PaymentId, gateway = app): Promise<void> {
  await holdChain(true);
  const call = withPayment(at(path, gateway), payment);
  const lost = httpRequest(call.url, { headers: call.headers, agent: false }).on('error', () => undefined);
  lost.end();
  await eventually(async () => {
    const state = await books.stateOf(id);
    return state.status === 'awaiting_settlement' && state.transactions.length > 0;
  }, SETTLE_MS);
  lost.destroy();
  await holdChain(false);
  await eventually(() => books.is(id, 'paid'), SETTLE_MS);
}

async function typesOf(id: PaymentId): Promise<readonly string[]> {
  return (await books.eventsOf(id)).map(({ type }) => type);
}

/** `posted` of the accounts of a kind in the tenant's book. */
async function posted(kind: string): Promise<Record<string, string>> {
  const { body } = await admin(app, `/ledger/accounts?tenant=first&kind=${kind}&limit=200`);
  const { data } = JSON.parse(body) as { data: { party: string; posted: string }[] };
  return Object.fromEntries(data.map(({ party, posted: amount }) => [party, amount]));
}

describe('a route that is paid before it runs', () => {
  it('settles, runs and answers, and gives the same answer again', async () => {
    const pay = payingFetch(testAccount(3));
    const response = await pay(at('goes').url);
    const body = await response.text();
    expect(response.status).toBe(200);
    const id = response.headers.get('tollbook-payment') as PaymentId;
    const settlement = JSON.parse(Buffer.from(response.headers.get('payment-response')!, 'base64').toString());
    expect(settlement).toMatchObject({ success: true, transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
    expect(await typesOf(id)).toEqual([
      'PaymentAuthorized',
      'SettlementSubmitted',
      'PaymentSettled',
      'DeliveryStarted',
      'RequestDelivered',
    ]);
    const state = await books.stateOf(id);
    expect(state).toMatchObject({ status: 'settled', settled: { transaction: settlement.transaction } });
    expect(state).toMatchObject({ authorized: { mode: 'before', holds: [] } });
    expect(runsOf(id)).toBe(1);
    expect(JSON.parse(body)).toHaveProperty('run');
  });

  it('answers a repeat from what is kept, at either gateway', async () => {
    const { id, payment } = await signed(await newBuyer(app, 10_000n), 'goes');
    const first = await present(at('goes'), payment);
    for (const gateway of [app, other]) {
      const again = await present(at('goes', gateway), payment);
      expect(again).toMatchObject({ status: 200, body: first.body });
      expect(settlementOf(again)).toEqual(settlementOf(first));
    }
    expect(runsOf(id)).toBe(1);
  });

  it('runs nothing and gives the quota back when the payment does not settle', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const window = { kind: 'rolling', seconds: 3600 };
    const limit = { measure: 'requests', quantity: '9', per: 'payer', window };
    expect(await admin(app, '/limits/first/fresh', { method: 'PUT', body: limit })).toMatchObject({ status: 201 });
    await eventually(async () => (await buy(buyer, at('goes'))).headers['ratelimit-policy'] !== undefined, SETTLE_MS);
    const payer = addressOf(buyer);
    // It is known for some seconds with what it had; on a busy machine they may be over too soon.
    const { id, reply, used } = await eventually(async () => {
      const { id, payment } = await signed(buyer, 'fresh');
      await buy(buyer, at('goes'));
      const used = await usedBy(buyer);
      const left = await books.balanceOf(payer);
      await transferUsdc(app.engines.chain, payer, addressOf(testAccount(0)), left);
      const reply = await present(at('fresh'), payment);
      if (reply.headers['payment-response'] !== undefined) return { id, reply, used };
      await mintUsdc(app.engines.chain, payer, left);
      return undefined;
    }, 3 * SETTLE_MS);
    expect(reply.status).toBe(402);
    expect(settlementOf(reply)).toMatchObject({ success: false, errorReason: 'insufficient_funds' });
    expect(await books.stateOf(id)).toMatchObject({ status: 'settlement_failed' });
    expect(runsOf(id)).toBe(0);
    expect(used).not.toEqual([]);
    expect(await usedBy(buyer)).toEqual(used);
  });

  it.each([
    ['fails', 500, undefined],
    ['missing', 404, undefined],
    ['hangs', 502, 'refund_owed'],
  ] as const)('owes the money back when the upstream %s, until it is sent back', async (path, status, code) => {
    const buyer = await newBuyer(app, 10_000n);
    const payer = addressOf(buyer);
    const { id, payment } = await signed(buyer, path);
    const reply = await present(at(path), payment);
    expect([reply.status, code && codeOf(reply)]).toEqual([status, code]);
    const again = await present(at(path), payment);
    expect([again.status, codeOf(again)]).toEqual([502, 'refund_owed']);
    expect(JSON.parse(again.body).detail).toContain(id);
    for (const one of [reply, again]) {
      expect(one.headers).toMatchObject({ 'tollbook-payment': id, 'tollbook-refund': 'owed' });
      expect([settlementOf(one).success, 'extensions' in settlementOf(one)]).toEqual([true, false]);
    }
    expect(runsOf(id)).toBe(1);
    expect(await books.stateOf(id)).toMatchObject({ status: 'refund_owed' });
    await eventually(async () => (await posted('refunds_owed'))[payer] === PRICE.toString(), SETTLE_MS);
    const state = await books.stateOf(id);
    if (state.status !== 'refund_owed') throw new Error(state.status);
    const transaction = await transferUsdc(app.engines.chain, state.authorized.terms.payee, payer, PRICE);
    expect((await admin(app, `/payments/${id}/refunds`, { method: 'POST', body: { transaction } })).status).toBe(201);
    await eventually(async () => (await posted('refunds_owed'))[payer] === '0', SETTLE_MS);
    const row = async () => JSON.parse((await admin(app, `/payments/${id}`)).body);
    await eventually(async () => (await row()).state === 'refunded', SETTLE_MS);
    expect(await row()).toMatchObject({ refunded: PRICE.toString(), mode: 'before' });
    const last = await present(at(path), payment);
    expect([last.status, codeOf(last)]).toEqual([409, 'payment_refunded']);
  });

  it('charges nobody for whom the upstream has no room', async () => {
    const buyers = await Promise.all([1, 2, 3].map(() => newBuyer(app, 10_000n)));
    const replies = await Promise.all(buyers.map((buyer) => buy(buyer, at('narrow'))));
    for (const [index, reply] of replies.entries()) {
      const charged = (await books.transfersFrom(addressOf(buyers[index]!))).length;
      // Of those that are paid for, whoever finds no room afterwards comes again.
      expect([reply.status, charged]).toEqual(
        reply.status === 200 || codeOf(reply) === 'paid_not_run' ? [reply.status, 1] : [503, 0],
      );
    }
    expect(replies.some(({ status }) => status === 200)).toBe(true);
  });
});

describe('a client that goes away while its payment settles', () => {
  it('finds the request not run, and has it run once by showing the payment again', async () => {
    const { id, payment } = await signed(await newBuyer(app, 10_000n), 'goes');
    await abandoned('goes', payment, id);
    expect(runsOf(id)).toBe(0);
    await expectFoundAsPaid(app, id);
    expect(await present(at('goes'), payment)).toMatchObject({ status: 200 });
    expect(runsOf(id)).toBe(1);
  });

  it('can do so with version 1 as well, until it is delivered', async () => {
    const offer = await ask(at('goes'));
    const payment = await signV1(await newBuyer(app, 10_000n), offer);
    const id = idOf(offer, payment);
    await abandoned('goes', payment, id);
    expect(await present(at('goes'), payment)).toMatchObject({ status: 200 });
    expect(codeOf(await present(at('goes'), payment))).toBe('replay_closed');
    expect(runsOf(id)).toBe(1);
  });

  it('is run exactly once by many repeats at two gateways', async () => {
    const { id, payment } = await signed(await newBuyer(app, 10_000n), 'racing');
    await abandoned('racing', payment, id, other);
    const gateways = [app, other, app, other, app, other, app, other];
    const replies = await Promise.all(gateways.map((gateway) => present(at('racing', gateway), payment)));
    expect(new Set(replies.map(({ body, status }) => `${status} ${body}`)).size).toBe(1);
    expect(replies[0]!.status).toBe(200);
    expect(runsOf(id)).toBe(1);
    expect((await typesOf(id)).filter((type) => type === 'DeliveryStarted')).toHaveLength(1);
  });

  it('is not run once its refund is asked for', async () => {
    const { id, payment } = await signed(await newBuyer(app, 10_000n), 'goes');
    await abandoned('goes', payment, id);
    const state = await books.stateOf(id);
    if (state.status !== 'paid') throw new Error(state.status);
    const { payee, payer } = state.authorized.terms;
    const body = { transaction: await transferUsdc(app.engines.chain, payee, payer, PRICE) };
    expect((await admin(app, `/payments/${id}/refunds`, { method: 'POST', body })).status).toBe(201);
    expect(codeOf(await present(at('goes'), payment))).toBe('payment_refunded');
    expect(runsOf(id)).toBe(0);
  });
});

it('a reorganization after the delivery takes the settlement back, and it settles again', async () => {
  const { id, payment } = await signed(await newBuyer(app, 10_000n), 'goes');
  expect(await present(at('goes'), payment)).toMatchObject({ status: 200 });
  const node = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) });
  await node.request({ method: 'anvil_reorg' as never, params: [1, []] as never });
  await eventually(async () => (await typesOf(id)).includes('SettlementReverted'), SETTLE_MS);
  await eventually(() => books.is(id, 'settled'), SETTLE_MS);
  expect(await present(at('goes'), payment)).toMatchObject({ status: 200 });
  expect(runsOf(id)).toBe(1);
});

it('leaves the books in order', async () => {
  const env = { TOLLBOOK_DATA_DIR: app.dataDir };
  await eventually(async () => {
    const { code, output } = await run(process.execPath, [join(ROOT, 'dist', 'verify.js')], { env });
    if (code !== 0) throw new Error(output);
    return true;
  }, 60_000);
});

/** What the quotas of this payer count. */
async function usedBy(buyer: LocalAccount): Promise<readonly string[]> {
  const { body } = await admin(app, '/limits/first/fresh/usage');
  const { data } = JSON.parse(body) as { data: { payer: string; used: string }[] };
  return data.filter(({ payer }) => payer === addressOf(buyer)).map(({ used }) => used);
}
