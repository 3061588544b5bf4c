import { createWalletClient, type Hex, http, type LocalAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, newBuyer, present, sign } from '../support/payment.js';
import { run } from '../support/run.js';
import { routeOf, Shop } from '../support/shop.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';
import { mintUsdc, transfers } from '../support/usdc.js';

const SETTLED_MS = 30_000;
/** Fifty requests, and ten refunds one after the other. */
const MANY_MS = 180_000;

let app: App;
let upstream: CountingUpstream;
let buyer: LocalAccount;
/** Of a tenant of its own: a wallet whose key is not on the server. */
let cold: LocalAccount;

beforeAll(async () => {
  upstream = await countingUpstream((_request, reply) => reply.end('found'));
  app = await startApp();
  buyer = await newBuyer(app, 1_000_000n);
  cold = privateKeyToAccount(generatePrivateKey());
  const shop = new Shop(app, upstream.url);
  await shop.open('cold', { payee: cold.address });
  await shop.put('/routes/cold/search', routeOf('/search'));
});
afterAll(async () => {
  await app?.stop();
  await upstream?.stop();
});

const weather = () => ({ url: `${app.gateway}/demo/weather` });
const search = () => ({ url: `${app.gateway}/search`, headers: { host: 'cold.example' } });

/** Id of a payment of 1,000 that is settled. */
async function bought(call: { url: string; headers?: Record<string, string> } = weather()): Promise<string> {
  const { headers } = await present(call, await sign(buyer, await ask(call)));
  const id = String(headers['tollbook-payment']);
  await eventually(async () => (await read(`/payments/${id}`)).state === 'settled', SETTLED_MS);
  return id;
}

async function read(path: string): Promise<Record<string, unknown>> {
  return JSON.parse((await admin(app, path)).body);
}

let keys = 0;
function request(id: string, body: object, key: string | undefined = `key-${++keys}`): Promise<Reply> {
  const headers: Record<string, string> = key === '' ? {} : { 'idempotency-key': key };
  return admin(app, `/payments/${id}/refunds`, { method: 'POST', body, headers });
}

async function requested(id: string, body: object): Promise<Record<string, unknown>> {
  const reply = await request(id, body);
  expect({ status: reply.status, body: reply.body }).toMatchObject({ status: 201 });
  return JSON.parse(reply.body);
}

async function ended(id: string, refund: unknown, state = 'refunded'): Promise<Record<string, unknown>> {
  return eventually(async () => {
    const view = await read(`/payments/${id}/refunds/${refund}`);
    if (view.state !== state) throw new Error(`it is ${JSON.stringify(view)}`);
    return view;
  }, SETTLED_MS);
}

describe('a refund from the refund wallet', () => {
  it('is sent, and shown in the payment and in its receipt, in parts and then the whole rest', async () => {
    const id = await bought();
    const part = await requested(id, { from: 'refund_wallet', amount: '400', reason: 'quality' });
    expect(part).toMatchObject({
      payment: id,
      amount: '400',
      from: 'refund_wallet',
      reason: 'quality',
      state: 'requested',
    });
    const rest = await requested(id, { from: 'refund_wallet' });
    expect(rest).toMatchObject({ amount: '600' });
    const sent = await ended(id, part.id);
    await ended(id, rest.id);

    const { receipt } = JSON.parse((await send({ url: `${app.gateway}/receipts/${id}` })).body);
    const { transaction } = sent;
    expect(receipt.refunds).toContainEqual(
      expect.objectContaining({ refund: part.id, amount: '400', sender: part.sender, transaction }),
    );
    // The payment's row and its refunds' rows come from two projections.
    const view = await eventually(async () => {
      const shown = await read(`/payments/${id}`);
      const done = (shown.refunds as { state: string }[]).every(({ state }) => state === 'refunded');
      return shown.refunded === '1000' && done && shown;
    }, SETTLED_MS);
    expect(view).toMatchObject({
      refunds: [
        { id: part.id, state: 'refunded', from: 'refund_wallet', amount: '400', transaction },
        { id: rest.id, state: 'refunded', amount: '600' },
      ],
    });
    const paid = await transfers(app.engines.chain, { from: part.sender as Hex, to: addressOf(buyer) });
    expect(paid.map(({ value }) => value).toSorted()).toEqual([400n, 600n]);
    const list = await read(`/payments/${id}/refunds`);
    expect(list).toMatchObject({
      data: [
        { id: part.id, transaction },
        { id: rest.id, state: 'refunded' },
      ],
    });
    expect(codeOf(await request(id, { from: 'refund_wallet', amount: '1' }))).toBe('refund_exceeds_payment');
  });

  it(
    'is asked for once under one key, and 50 at once never take more than was paid',
    async () => {
      const id = await bought();
      const again = await Promise.all(
        Array.from({ length: 5 }, () => request(id, { from: 'payee', amount: '100' }, 'one-key')),
      );
      const made = again.filter(({ status }) => status === 201);
      expect(new Set(made.map(({ body }) => JSON.parse(body).id)).size).toBe(1);
      const many = await Promise.all(
        Array.from({ length: 50 }, () => request(id, { from: 'refund_wallet', amount: '90' })),
      );
      expect(many.filter(({ status }) => status === 201)).toHaveLength(10);
      const refused = many.filter(({ status }) => status !== 201);
      expect(new Set(refused.map(codeOf))).toEqual(new Set(['refund_exceeds_payment']));
      for (const { body, status } of many) if (status === 201) await ended(id, JSON.parse(body).id);
    },
    MANY_MS,
  );
});

describe('a refund from the payee', () => {
  it('is signed by its wallet as it was given out, and found by itself', async () => {
    const id = await bought(search());
    const view = await requested(id, { from: 'payee', amount: '700' });
    const { unsigned_transaction: unsigned, uri } = view as { unsigned_transaction: Record<string, Hex>; uri: string };
    expect(uri).toBe(`ethereum:${view.asset}@84532/transfer?address=${view.recipient}&uint256=700`);
    expect(unsigned).toMatchObject({
      type: '0x2',
      chainId: '0x14a34',
      from: view.sender,
      to: view.asset,
      value: '0x0',
    });
    const node = createWalletClient({ account: cold, transport: http(app.engines.chain) });
    await node.request({ method: 'anvil_setBalance' as never, params: [cold.address, '0xde0b6b3a7640000'] as never });
    const raw = await cold.signTransaction({
      type: 'eip1559',
      chainId: Number(unsigned.chainId),
      to: unsigned.to,
      data: unsigned.data,
      nonce: Number(unsigned.nonce),
      gas: BigInt(unsigned.gas!),
      maxFeePerGas: BigInt(unsigned.maxFeePerGas!),
      maxPriorityFeePerGas: BigInt(unsigned.maxPriorityFeePerGas!),
    });
    const transaction = await node.sendRawTransaction({ serializedTransaction: raw });
    expect(await ended(id, view.id)).toMatchObject({ transaction, amount: '700', failure: null });
    // The owner who tells it all the same hears that it is known.
    const told = await request(id, { transaction }, '');
    expect({ status: told.status, body: JSON.parse(told.body) }).toMatchObject({ status: 200, body: { id: view.id } });
  });

  it('can be cancelled, which frees the amount', async () => {
    const id = await bought();
    const { id: refund } = await requested(id, { from: 'payee' });
    expect(codeOf(await request(id, { from: 'payee', amount: '1' }))).toBe('refund_exceeds_payment');
    const cancel = () => admin(app, `/payments/${id}/refunds/${refund}/cancel`, { method: 'POST' });
    for (const reply of [await cancel(), await cancel()])
      expect({ status: reply.status, state: JSON.parse(reply.body).state }).toEqual({
        status: 200,
        state: 'cancelled',
      });
    await requested(id, { from: 'payee', amount: '1' });
  });
});

describe('a request for a refund', () => {
  it.each([
    ['from nowhere', { amount: '1' }, 'invalid_request'],
    ['of nothing', { from: 'payee', amount: '0' }, 'invalid_request'],
    ['of a fraction', { from: 'payee', amount: '1.5' }, 'invalid_request'],
    ['of a number', { from: 'payee', amount: 1 }, 'invalid_request'],
    ['for a reason of its own', { from: 'payee', reason: 'Alice asked' }, 'invalid_request'],
    ['with something else', { from: 'payee', to: '0x00' }, 'invalid_request'],
  ])('%s is refused', async (_what, body, code) => {
    expect(codeOf(await request(`pay_${'0'.repeat(32)}`, body))).toBe(code);
  });

  it('needs a key, a payment and a refund', async () => {
    const none = `pay_${'0'.repeat(32)}`;
    expect(codeOf(await request(none, { from: 'payee' }, ''))).toBe('idempotency_key_required');
    expect(codeOf(await request(none, { from: 'payee' }))).toBe('not_found');
    expect(codeOf(await admin(app, `/payments/${none}/refunds`))).toBe('not_found');
    const id = await bought();
    expect(codeOf(await admin(app, `/payments/${id}/refunds/ref_1`))).toBe('not_found');
    expect(codeOf(await admin(app, `/payments/${id}/refunds/ref_1/cancel`, { method: 'POST' }))).toBe('not_found');
  });
});

it('what was refunded is in the metrics, and the books are right: verify and rebuild', async () => {
  await mintUsdc(app.engines.chain, addressOf(buyer), 1n);
  const metrics = (await send({ url: `${app.control}/metrics` })).body;
  expect(metrics).toMatch(/tollbook_refund_wallet_atomic_units\{network="eip155:84532",.*\} 9999\d+/);
  expect(metrics).toMatch(/tollbook_refunds_pending\{network="eip155:84532",.*from="payee"\} \d/);
  const env = { TOLLBOOK_DATA_DIR: app.dataDir };
  for (const command of ['verify', 'rebuild']) {
    const { code, output } = await run(process.execPath, ['bin/tollbook.mjs', command], { env });
    expect({ command, code, output }).toMatchObject({ code: 0 });
  }
});
