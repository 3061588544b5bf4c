import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import express from 'express';
import { createTestClient, http } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { payingFetch } from '../support/buyer.js';
import { eventually } from '../support/eventually.js';
import { codeOf, send } from '../support/http.js';
import { addressOf, ask, idOf, newBuyer, present, sign } from '../support/payment.js';
import { run } from '../support/run.js';
import { SellingServer } from '../support/selling-server.js';
import { startSibling } from '../support/sibling.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SETTLE_MS = 20_000;

let app: App;
let other: App;
let books: Books;
let shop: SellingServer;

const weather = () => ({ url: `${app.gateway}/demo/weather` });

beforeAll(async () => {
  app = await startApp();
  other = await startSibling(app, 'gateway');
  books = new Books(app.engines);
  shop = await SellingServer.of(app);
});

afterAll(async () => {
  await books?.close();
  await other?.stop();
  await app?.stop();
});

describe('the official Express middleware', () => {
  let server: Server;
  let runs: number;
  /** The payment of the last run. */
  let sent: string;
  let url: string;

  beforeAll(async () => {
    runs = 0;
    const authorization = { Authorization: `Bearer ${shop.key}` };
    const facilitator = new HTTPFacilitatorClient({
      url: `${app.gateway}/facilitator`,
      createAuthHeaders: async () => ({ verify: authorization, settle: authorization, supported: authorization }),
    });
    const resources = new x402ResourceServer(facilitator).register('eip155:84532', new ExactEvmScheme());
    const price = { scheme: 'exact', price: '$0.0015', network: 'eip155:84532', payTo: shop.accept.payTo } as const;
    const site = express();
    site.use(paymentMiddleware({ 'GET /thing': { accepts: price, description: 'A thing' } }, resources));
    site.get('/thing', (request, response) => {
      runs += 1;
      sent = String(request.headers['payment-signature']);
      response.json({ run: runs });
    });
    server = createServer(site).listen(0);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/thing`;
  });

  afterAll(() => server?.close());

  it('sells to the official client, and each payment buys once', async () => {
    const buyer = (await newBuyer(app, 10_000n)) as PrivateKeyAccount;
    const response = await payingFetch(buyer)(url);
    expect([response.status, await response.json()]).toEqual([200, { run: 1 }]);
    const settlement = JSON.parse(Buffer.from(response.headers.get('payment-response')!, 'base64').toString());
    const paid = await books.transfersFrom(addressOf(buyer));
    expect(settlement).toMatchObject({ success: true, transaction: paid[0], network: 'eip155:84532' });
    expect(paid).toHaveLength(1);

    const again = await send({ url, headers: { 'payment-signature': sent } });
    expect([again.status, runs]).toEqual([402, 1]);
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(1);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(1);
  });

  it('delivers nothing without money', async () => {
    const before = runs;
    const poor = (await newBuyer(app, 100n)) as PrivateKeyAccount;
    expect((await payingFetch(poor)(url)).status).toBe(402);
    expect(runs).toBe(before);
  });
});

describe('supported', () => {
  it('names what verify and settle do', async () => {
    const { kinds, signers } = await shop.told('supported', undefined);
    expect(kinds).toEqual([
      { x402Version: 2, scheme: 'exact', network: 'eip155:84532' },
      { x402Version: 1, scheme: 'exact', network: 'base-sepolia' },
    ]);
    expect(signers).toEqual({ 'eip155:*': [expect.stringMatching(/^0x[0-9a-f]{40}$/i)] });
  });
});

describe('settle', () => {
  it('settles once, whatever is sent again to whichever gateway', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const body = await shop.bodyV2(buyer);
    expect(await shop.told('verify', body)).toEqual({ isValid: true, payer: addressOf(buyer) });
    expect(await books.admissionsOf(addressOf(buyer))).toBe(0);

    const answers = await Promise.all([app, other, app, other].map((at) => shop.told('settle', body, at)));
    const [transaction] = await books.transfersFrom(addressOf(buyer));
    const settled = { success: true, transaction, network: 'eip155:84532', payer: addressOf(buyer), amount: '1500' };
    expect(answers).toEqual([settled, settled, settled, settled]);
    expect(await shop.told('settle', body, other)).toEqual(settled);
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(1);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(1);
    expect(await shop.told('verify', body)).toMatchObject({
      ...{ isValid: false, invalidReason: 'invalid_exact_evm_nonce_already_used' },
    });
    const events = await books.eventsOf(idOf(shop.offer(), body.paymentPayload));
    expect(events.map(({ type }) => type)).toEqual([
      ...['PaymentAuthorized', 'RequestDelivered', 'SettlementSubmitted', 'PaymentSettled'],
    ]);
    expect(events[0]!.data).toMatchObject({
      tenant: 'demo',
      resource: 'https://elsewhere.example/thing',
      mode: 'after',
    });
  });

  it('speaks version 1', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const body = await shop.bodyV1(buyer);
    expect(await shop.told('verify', body)).toEqual({ isValid: true, payer: addressOf(buyer) });
    const settled = await shop.told('settle', body);
    const [transaction] = await books.transfersFrom(addressOf(buyer));
    expect(settled).toEqual({ success: true, transaction, network: 'base-sepolia', payer: addressOf(buyer) });
  });

  it('takes nothing that was sent with another payload: what is settled is public', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const body = await shop.bodyV2(buyer);
    await shop.told('settle', body);
    const { resource: _, ...copied } = body.paymentPayload;
    const reply = await shop.told('settle', { ...body, paymentPayload: copied });
    expect(reply).toMatchObject({ success: false, errorReason: 'invalid_exact_evm_nonce_already_used' });
  });

  it('says why a payment failed, and says it again', async () => {
    const buyer = await newBuyer(app, 1_500n);
    const first = await shop.bodyV2(buyer);
    const second = await shop.bodyV2(buyer);
    // Two that are verified by what the payer has now, of which it can pay one.
    const answers = await Promise.all([shop.told('settle', first, app), shop.told('settle', second, other)]);
    const failed = answers.filter(({ success }) => success === false);
    expect(failed).toEqual([expect.objectContaining({ errorReason: 'insufficient_funds', transaction: '' })]);
    expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(1);
    const lost = answers[0]!.success === false ? first : second;
    expect(await shop.told('settle', lost)).toMatchObject({ success: false, errorReason: 'insufficient_funds' });
  });
});

describe('a chain that makes no blocks', () => {
  it('leaves the outcome open: that is said, with the transaction, and settling again tells it', async () => {
    const node = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) });
    const buyer = await newBuyer(app, 10_000n);
    const body = await shop.bodyV2(buyer);
    await node.setAutomine(false);
    try {
      const pending = await shop.told('settle', body);
      const transaction = expect.stringMatching(/^0x[0-9a-f]{64}$/);
      expect(pending).toMatchObject({ success: false, errorReason: 'settlement_pending', transaction });
      expect(await books.transfersFrom(addressOf(buyer))).toHaveLength(0);
    } finally {
      await node.setAutomine(true);
      await node.mine({ blocks: 1 });
    }
    const settled = await shop.told('settle', body, other);
    const paid = await books.transfersFrom(addressOf(buyer));
    expect(settled).toMatchObject({ success: true, transaction: paid[0] });
    expect(paid).toHaveLength(1);
  });
});

describe('the same authorization at a priced route', () => {
  it('is settled once and buys once, whichever is first', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const asked = await ask(weather());
    const payment = await sign(buyer, asked);
    expect((await present(weather(), payment)).status).toBe(200);
    const body = { x402Version: 2, paymentPayload: payment, paymentRequirements: payment.accepted };
    for (const path of ['verify', 'settle']) {
      const reply = await shop.told(path, body);
      expect(reply.invalidReason ?? reply.errorReason).toBe('invalid_exact_evm_nonce_already_used');
    }

    const later = await sign(buyer, asked);
    await shop.told('settle', { x402Version: 2, paymentPayload: later, paymentRequirements: later.accepted });
    expect(codeOf(await present(weather(), later))).toBe('authorization_used_elsewhere');
    await eventually(async () => (await books.transfersFrom(addressOf(buyer))).length === 2, SETTLE_MS);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(2);
  });
});

describe('the limits of the tenant', () => {
  it('hold here too: 429 with the reason, in the words of a facilitator', async () => {
    const buyer = await newBuyer(app, 10_000n);
    const window = { kind: 'calendar', unit: 'day' };
    const rules = { measure: 'requests', quantity: '1', per: 'payer', payer: addressOf(buyer), window };
    await admin(app, '/limits/demo/one', { method: 'PUT', body: rules });
    // A gateway hears of a limit a moment later.
    await eventually(async () => (await shop.call('settle', await shop.bodyV2(buyer))).status === 429, SETTLE_MS);
    const reply = await shop.call('settle', await shop.bodyV2(buyer));
    expect(reply).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } });
    expect(JSON.parse(reply.body)).toMatchObject({ success: false, errorReason: 'quota_exceeded', transaction: '' });
    await admin(app, '/limits/demo/one', { method: 'DELETE' });
  });
});

describe('the books after all this', () => {
  it('are in order', async () => {
    const { chain, postgres } = app.engines;
    const env = { DATABASE_URL: postgres, CHAIN_RPC_URL: chain, TOLLBOOK_DATA_DIR: app.dataDir };
    await eventually(async () => {
      const { code, output } = await run(process.execPath, [join(ROOT, 'dist', 'verify.js')], { cwd: ROOT, env });
      if (code !== 0) throw new Error(output);
      return true;
    }, SETTLE_MS);
  });
});
