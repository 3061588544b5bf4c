import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import StripePackage from 'stripe';
import { eventually } from '../support/eventually.js';
import { Stripe, type StripeAccount } from '../support/stripe.js';

let stripe: Stripe;
let account: StripeAccount;
let api: StripePackage;

beforeAll(async () => {
  stripe = await Stripe.start();
});
afterAll(() => stripe.stop());
beforeEach(async () => {
  account = await stripe.account();
  api = packageFor(account.secretKey);
});

function packageFor(secretKey: string): StripePackage {
  const { hostname, port } = new URL(stripe.url);
  return new StripePackage(secretKey, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, timeout: 5_000 });
}

async function purchase(charge = 'chg_1', amount = 1_250) {
  const method = await account.order('add_card', {});
  const { customer, id: payment_method } = method;
  const params = {
    ...{ amount, currency: 'usd', customer: customer!, payment_method, confirm: true, off_session: true },
    metadata: { tollbook_charge: charge },
  };
  return { method, params, create: () => api.paymentIntents.create(params, { idempotencyKey: charge }) };
}

describe('a charge', () => {
  it('takes money once for one key, and says the same again', async () => {
    const { create } = await purchase();
    const first = await create();
    const again = await create();
    expect(again).toEqual(first);
    expect(again.lastResponse.headers).toMatchObject({ 'idempotent-replayed': 'true' });
    expect(await account.taken('chg_1')).toHaveLength(1);
  });

  it('of other terms under the same key is refused', async () => {
    const { create, params } = await purchase();
    await create();
    const other = api.paymentIntents.create({ ...params, amount: 1_251 }, { idempotencyKey: 'chg_1' });
    await expect(other).rejects.toMatchObject({ statusCode: 400, type: 'StripeIdempotencyError' });
  });

  it('that still runs has its key in use, and is done once', async () => {
    const { create } = await purchase();
    await account.fail('POST /v1/payment_intents', 'hold');
    const first = create().catch((error: Error) => error);
    await eventually(async () => (await account.book()).asked.length === 1);
    await expect(create()).rejects.toMatchObject({ statusCode: 409 });
    await account.order('release');
    expect(await first).toMatchObject({ status: 'succeeded' });
    expect(await account.taken()).toHaveLength(1);
  });

  it.each([
    ['fail', 0],
    ['do_then_fail', 1],
  ] as const)('to which it says 500 (%s) is 500 again, until the key is forgotten', async (kind, taken) => {
    const { create } = await purchase();
    await account.fail('POST /v1/payment_intents', kind);
    for (let time = 0; time < 2; time++) await expect(create()).rejects.toMatchObject({ statusCode: 500 });
    expect(await account.taken()).toHaveLength(taken);
    await account.order('forget_keys');
    await create();
    expect(await account.taken()).toHaveLength(taken + 1);
  });

  it('is declined in the words of its bank, and found with them', async () => {
    const { create, method } = await purchase();
    const decline = { kind: 'decline', decline_code: 'insufficient_funds', advice_code: 'try_again_later' } as const;
    await account.order('outcomes', { method: method.id, outcomes: [decline, { kind: 'succeed' }] });
    const said = { code: 'card_declined', decline_code: 'insufficient_funds', advice_code: 'try_again_later' };
    await expect(create()).rejects.toMatchObject({ ...said, statusCode: 402, payment_intent: { amount: 1_250 } });
    const { data } = await api.paymentIntents.list({ customer: method.customer! });
    expect(data).toMatchObject([{ status: 'requires_payment_method', last_payment_error: said }]);
    expect(await account.taken()).toHaveLength(0);
  });

  it('shows its fee where it is asked for, and is found by search only later', async () => {
    const { params } = await purchase();
    const expand = ['latest_charge.balance_transaction'];
    const intent = await api.paymentIntents.create({ ...params, capture_method: 'automatic', expand });
    expect(intent.latest_charge).toMatchObject({ balance_transaction: { amount: 1_250, fee: 66, net: 1_184 } });
    const search = () => api.paymentIntents.search({ query: "metadata['tollbook_charge']:'chg_1'" });
    expect((await search()).data).toEqual([]);
    await account.order('settings', { searchLagMs: 0 });
    expect((await search()).data).toMatchObject([{ id: intent.id }]);
  });

  it('is seen by nobody with another key', async () => {
    const { create } = await purchase();
    const { id } = await create();
    const other = await stripe.account();
    await expect(packageFor(other.secretKey).paymentIntents.retrieve(id)).rejects.toMatchObject({ statusCode: 404 });
    await expect(packageFor('sk_test_x').paymentIntents.retrieve(id)).rejects.toMatchObject({ statusCode: 401 });
  });
});

describe('lists', () => {
  it('come in pages, newest first', async () => {
    const { params } = await purchase();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await api.paymentIntents.create(params)).id);
    const found: string[] = [];
    for await (const { id } of api.paymentIntents.list({ customer: params.customer, limit: 2 })) found.push(id);
    expect(found).toEqual(ids);
  });
});

describe('a dispute', () => {
  it('takes the money and a fee, and gives the money back if the evidence wins', async () => {
    const { create } = await purchase();
    const { id } = await create();
    const { id: dispute } = await account.order('open_dispute', { intent: id });
    const file = { data: Buffer.from('%PDF-1.7 …'), name: 'invoice.pdf', type: 'application/octet-stream' };
    const { id: receipt } = await api.files.create({ purpose: 'dispute_evidence', file });
    const evidence = { receipt, uncategorized_text: 'winning_evidence' };
    expect(await api.disputes.update(dispute, { evidence, submit: true })).toMatchObject({ status: 'won' });
    const { disputes, files } = await account.book();
    expect(disputes[0]!.balance_transactions.map(({ net }) => net)).toEqual([-2_750, 1_250]);
    expect(files).toMatchObject([{ filename: 'invoice.pdf', size: file.data.length, purpose: 'dispute_evidence' }]);
  });
});

describe('webhooks', () => {
  let server: Server;
  const heard: StripePackage.Event[] = [];
  let refuse = 2;

  beforeAll(async () => {
    server = createServer(async (request, reply) => {
      const body = Buffer.concat(await request.toArray());
      const signature = request.headers['stripe-signature']!;
      heard.push(api.webhooks.constructEvent(body, signature, account.webhookSecret));
      reply.writeHead(refuse-- > 0 ? 503 : 200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('are signed, and told again until somebody takes them, twice and in another order if wanted', async () => {
    const { create } = await purchase();
    await account.order('hold_webhooks');
    await account.order('webhook_url', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await create();
    await account.order('release_webhooks', { order: 'reversed', copies: 2 });
    const types = ['payment_intent.succeeded', 'charge.succeeded', 'payment_intent.created'];
    const [last] = types;
    expect(heard.map(({ type }) => type)).toEqual([last, last, ...types.flatMap((type) => [type, type])]);
    expect(heard[0]!.data.object).toMatchObject({ metadata: { tollbook_charge: 'chg_1' }, status: 'succeeded' });
  });
});
