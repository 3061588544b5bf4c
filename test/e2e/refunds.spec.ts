import type { LocalAccount } from 'viem';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { type App, startApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, newBuyer, type Offer, present, sign } from '../support/payment.js';
import { mintUsdc, transferUsdc } from '../support/usdc.js';

/** Atomic units of one call of the weather. */
const PRICE = 1000n;
const SETTLED_MS = 20_000;

let app: App;
let buyer: LocalAccount;
let payer: Address;
let payee: Address;

beforeAll(async () => {
  app = await startApp();
  buyer = await newBuyer(app, 1_000_000n);
  payer = addressOf(buyer);
  payee = (await ask(weather())).accepts[0].payTo.toLowerCase() as Address;
  await mintUsdc(app.engines.chain, payee, 1_000_000n);
});
afterAll(() => app?.stop());

function weather() {
  return { url: `${app.gateway}/demo/weather` };
}

/** Id of a payment that is settled. */
async function bought(): Promise<string> {
  const offer: Offer = await ask(weather());
  const { headers } = await present(weather(), await sign(buyer, offer));
  const id = String(headers['tollbook-payment']);
  await eventually(async () => (await payment(id)).state === 'settled', SETTLED_MS);
  return id;
}

async function payment(id: string): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${app.adminKey}` };
  return JSON.parse((await send({ url: `${app.control}/admin/v1/payments/${id}`, headers })).body);
}

function record(id: string, body: object | string, key = app.adminKey): Promise<Reply> {
  return send({
    url: `${app.control}/admin/v1/payments/${id}/refunds`,
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function refundOf(value: bigint, to = payer, from = payee): Promise<Hex> {
  return transferUsdc(app.engines.chain, from, to, value);
}

describe('a refund', () => {
  it('is recorded once, and shown in the payment and in its receipt', async () => {
    const id = await bought();
    const transaction = await refundOf(400n);
    const first = await record(id, { transaction });
    expect(first.status).toBe(201);
    expect(JSON.parse(first.body)).toMatchObject({ payment: id, amount: '400', transaction, network: 'eip155:84532' });
    const again = await record(id, { transaction: transaction.toUpperCase().replace('0X', '0x') });
    expect(again).toMatchObject({ status: 200, body: first.body });

    await eventually(async () => (await payment(id)).refunded === '400');
    expect(await payment(id)).toMatchObject({ state: 'settled', settled_at: expect.any(String), amount: '1000' });
    const { receipt } = JSON.parse((await send({ url: `${app.gateway}/receipts/${id}` })).body);
    const { log_index: logIndex } = JSON.parse(first.body);
    expect(receipt).toMatchObject({ status: 'settled', refunds: [{ amount: '400', transaction, logIndex }] });
  });

  it('may come in parts, many at once, and never more than was paid', async () => {
    const id = await bought();
    const parts: Hex[] = [];
    // Twelve of them would be more than the price.
    for (let n = 0; n < 12; n++) parts.push(await refundOf(PRICE / 10n));
    const replies = await Promise.all([...parts, ...parts].map((transaction) => record(id, { transaction })));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(10);
    const refused = replies.filter(({ status }) => status >= 400);
    expect(refused.map(codeOf)).toEqual(Array(4).fill('refund_exceeds_payment'));
    await eventually(async () => (await payment(id)).refunded === '1000');
  });

  it('counts for one payment only, though two ask at once', async () => {
    const ids = [await bought(), await bought()];
    const transaction = await refundOf(PRICE);
    const replies = await Promise.all([...ids, ...ids].map((id) => record(id, { transaction })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 201, 409, 409]);
    const taken = replies.filter(({ status }) => status === 409);
    expect(taken.map(codeOf)).toEqual(['transfer_already_counted', 'transfer_already_counted']);
    const refunded = await eventually(async () => {
      const rows = await Promise.all(ids.map(payment));
      return rows.some((row) => row.refunded === '1000') && rows.map((row) => row.refunded);
    });
    expect(refunded.toSorted()).toEqual(['0', '1000']);
  });

  it('is a transfer of its own from the payee to the payer, later than the payment', async () => {
    const early = await refundOf(PRICE);
    const id = await bought();
    const stranger = addressOf(await newBuyer(app, 1_000n));
    const others = [early, await refundOf(PRICE, stranger), await refundOf(PRICE, payer, stranger)];
    for (const transaction of others) expect(codeOf(await record(id, { transaction }))).toBe('refund_not_found');
    const unknown = await record(id, { transaction: `0x${'12'.repeat(32)}` });
    expect({ status: unknown.status, code: codeOf(unknown) }).toEqual({ status: 409, code: 'refund_not_mined' });
    expect((await payment(id)).refunded).toBe('0');
  });

  it.each([
    ['no transaction', {}],
    ['no hash', { transaction: '0x12' }],
    ['an amount', { transaction: `0x${'12'.repeat(32)}`, amount: '1' }],
    ['a log that cannot be', { transaction: `0x${'12'.repeat(32)}`, log_index: -1 }],
    ['no JSON', '{'],
    ['no object', '[]'],
    ['nothing', ''],
  ])('with %s is refused', async (_what, body) => {
    const reply = await record(`pay_${'0'.repeat(32)}`, body);
    expect({ status: reply.status, code: codeOf(reply) }).toEqual({ status: 400, code: 'invalid_request' });
  });

  it('needs the admin key and a payment', async () => {
    const body = { transaction: `0x${'12'.repeat(32)}` };
    expect(codeOf(await record(`pay_${'0'.repeat(32)}`, body, 'wrong'))).toBe('unauthorized');
    expect(codeOf(await record(`pay_${'0'.repeat(32)}`, body))).toBe('not_found');
    expect(codeOf(await record('pay_1', body))).toBe('not_found');
  });
});
