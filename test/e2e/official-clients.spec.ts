import { verifyReceiptSignatureJWS } from '@x402/extensions/offer-receipt';
import { createPublicClient, erc20Abi, http } from 'viem';
import type { Address } from '../../src/base/shared/hex.js';
import { type App, startApp } from '../support/app.js';
import { axiosV2, clientV1, fetchV2, type OfficialClient, type Purchase, testAccount } from '../support/buyer.js';
import { eventually } from '../support/eventually.js';

interface ReceiptAnswer {
  readonly receipt: {
    readonly amount: string;
    readonly payee: Address;
    readonly asset: Address;
    readonly status: string;
  };
  readonly official: { readonly format: 'jws'; readonly signature: string };
}

const clients: [string, number, OfficialClient, 1 | 2][] = [
  ['@x402/fetch', 2, fetchV2(2), 2],
  ['@x402/axios', 3, axiosV2(3), 2],
  ['x402-fetch', 4, clientV1('fetch', 4), 1],
  ['x402-axios', 5, clientV1('axios', 5), 1],
];
const routes: [string, 'GET' | 'POST', object | undefined][] = [
  ['/demo/weather', 'GET', undefined],
  ['/demo/files/report.txt', 'GET', undefined],
  ['/demo/query', 'POST', { query: 'select 1' }],
  ['/demo/completions', 'POST', { prompt: 'hello' }],
  ['/demo/slow', 'GET', undefined],
];
const matrix = clients.flatMap(([name, index, client, version]) =>
  routes.map(([path, method, body]) => ({ name, index, client, version, path, method, body })),
);
/** Every demo answer carries it, in JSON, in a server-sent event or in the first line of a file. */
const RUN_ID = /"runId":\s*"[0-9a-f]{16}"|^run [0-9a-f]{16}$/m;
const SETTLE_MS = 20_000;

let app: App;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app?.stop());

async function receiptOf(payment: string): Promise<ReceiptAnswer> {
  const response = await fetch(`${app.gateway}/receipts/${payment}`);
  expect(response.status).toBe(200);
  return (await response.json()) as ReceiptAnswer;
}

function balanceOf(asset: Address, owner: Address): Promise<bigint> {
  const client = createPublicClient({ transport: http(app.engines.chain) });
  return client.readContract({ address: asset, abi: erc20Abi, functionName: 'balanceOf', args: [owner] });
}

async function termsOf({ url, method, body }: Purchase): Promise<{ asset: Address; payTo: Address }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method, ...(body ? { body: JSON.stringify(body), headers } : {}) });
  expect(response.status).toBe(402);
  return JSON.parse(Buffer.from(response.headers.get('payment-required')!, 'base64').toString()).accepts[0];
}

describe('unmodified official clients', () => {
  it.each(matrix)('$name pays $method $path', async ({ index, client, version, path, method, body }) => {
    const purchase = { url: app.gateway + path, method, body };
    const { asset, payTo } = await termsOf(purchase);
    const payer = testAccount(index).address;
    const before = { payer: await balanceOf(asset, payer), payee: await balanceOf(asset, payTo) };

    const bought = await client(purchase);

    expect(bought).toMatchObject({ status: 200, body: expect.stringMatching(RUN_ID) });
    expect(bought.settlement).toMatchObject({
      success: true,
      network: version === 2 ? 'eip155:84532' : 'base-sepolia',
    });
    const { receipt } = await receiptOf(bought.payment);
    const price = BigInt(receipt.amount);
    expect(price).toBeGreaterThan(0n);
    expect(price).toBeLessThanOrEqual(100_000n);
    await eventually(async () => (await receiptOf(bought.payment)).receipt.status === 'settled', SETTLE_MS);
    expect(await balanceOf(asset, payTo)).toBe(before.payee + price);
    expect(await balanceOf(asset, payer)).toBe(before.payer - price);
  });

  it.each(clients)('%s gets a receipt that the official package verifies', async (_name, index, client, version) => {
    const url = `${app.gateway}/demo/weather`;
    const { settlement, payment } = await client({ url, method: 'GET' });
    const inAnswer = settlement.extensions?.['offer-receipt'] as { info: { receipt: ReceiptAnswer['official'] } };
    const receipt = version === 2 ? inAnswer.info.receipt : (await receiptOf(payment)).official;
    expect(await verifyReceiptSignatureJWS(receipt)).toMatchObject({
      resourceUrl: url,
      network: 'eip155:84532',
      payer: testAccount(index).address.toLowerCase(),
    });
  });

  it('answer the slow route only when it is settled, the others at once', async () => {
    const url = (path: string) => app.gateway + path;
    const slow = await fetchV2(2)({ url: url('/demo/slow'), method: 'GET' });
    const weather = await fetchV2(2)({ url: url('/demo/weather'), method: 'GET' });
    expect(slow.settlement.transaction).toMatch(/^0x[0-9a-f]{64}$/);
    expect(weather.settlement).toMatchObject({ success: true, transaction: '', extra: { state: 'pending' } });
  });
});
