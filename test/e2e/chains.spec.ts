import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { ExactEvmScheme } from '@x402/evm';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Address } from '../../src/base/shared/hex.js';
import type { Tenant } from '../../src/domains/pricing/catalogue.schemas.js';
import { admin } from '../support/admin.js';
import { type App, startApp } from '../support/app.js';
import { chainOf, newBuyerOf, publicationsOf, type Shop, shopOf } from '../support/chain-shops.js';
import { installToken, type LastingChain, mint, startLastingChain, transfer } from '../support/chains.js';
import { eventually } from '../support/eventually.js';
import { type Call, codeOf, fetchAt, type Reply, send } from '../support/http.js';
import { addressOf, ask, present, sign } from '../support/payment.js';
import { publish, tenantWith } from '../support/publishing.js';
import { supportedFor } from '../support/selling-server.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

/** Engines of its own, two starts and a chain that comes back. */
jest.setTimeout(120_000);

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SETTLE_MS = 30_000;
/** The code of USDC with 18 decimals. */
const FINE: Address = '0x7011b00c000000000000000000000000000000fe';

let dataDir: string;
let settlers: readonly Address[];
let east: LastingChain;
let west: LastingChain;
/** Two chains; on one of them, two tokens. Prices are 0.002 of each. */
let shops: readonly [Shop, Shop, Shop];
let upstream: CountingUpstream;
let app: App;
let buyer: PrivateKeyAccount;
let env: Record<string, string>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tollbook-chains-'));
  const key = generatePrivateKey();
  settlers = [addressOf(privateKeyToAccount(key))];
  [east, west] = await Promise.all([startLastingChain(84_532, settlers), startLastingChain(421_614, settlers)]);
  await installToken(west, FINE, 'Fine dollar', 18);
  const file = join(dataDir, 'chains.json');
  await writeFile(file, JSON.stringify([chainOf(east, [USDC_ADDRESS]), chainOf(west, [USDC_ADDRESS, FINE])]));
  env = { TOLLBOOK_SIGNER_KEY: key, TOLLBOOK_CHAINS: file };
  upstream = await countingUpstream((_request, reply) => reply.end('sold'));
  app = await startApp({ dataDir, env });
  shops = [
    shopOf('east', east, USDC_ADDRESS, 2_000n),
    shopOf('west', west, USDC_ADDRESS, 2_000n),
    shopOf('fine', west, FINE, 2_000_000_000_000_000n),
  ];
  await publish(
    app.engines.postgres,
    shops.flatMap((shop) => publicationsOf(shop, upstream.url)),
  );
  await eventually(() => Promise.all(shops.map((shop) => ask(thing(shop)))), 20_000);
  buyer = await newBuyer();
});

afterAll(async () => {
  await app?.stop();
  await Promise.all([east?.stop(), west?.stop(), upstream?.stop()]);
  if (dataDir) rmSync(dataDir, { recursive: true, force: true });
});

function thing({ id }: Pick<Shop, 'id'>): Call {
  return { url: `${app.gateway}/thing`, headers: { host: `${id}.example` } };
}

/** Somebody with a hundred prices of each token. */
async function newBuyer(): Promise<PrivateKeyAccount> {
  const account = privateKeyToAccount(generatePrivateKey());
  for (const { asset, chain, price } of shops) await mint(chain, asset, addressOf(account), 100n * price);
  return account;
}

async function buyFrom(shop: Shop, account = buyer): Promise<Reply> {
  return present(thing(shop), await sign(account, await ask(thing(shop))));
}

async function paymentOf(id: unknown): Promise<Record<string, unknown>> {
  return JSON.parse((await admin(app, `/payments/${id}`)).body);
}

/** Bought and settled; its id. */
async function sold(shop: Shop, account = buyer): Promise<string> {
  const { body, headers, status } = await buyFrom(shop, account);
  expect({ status, body }).toEqual({ status: 200, body: 'sold' });
  await settled(headers['tollbook-payment']);
  return String(headers['tollbook-payment']);
}

async function settled(id: unknown): Promise<void> {
  await eventually(async () => {
    const { state } = await paymentOf(id);
    if (state !== 'settled') throw new Error(`${id} is ${state}`);
    return true;
  }, SETTLE_MS);
}

async function ready(): Promise<{ readonly status: number; readonly checks: Readonly<Record<string, string>> }> {
  const { body, status } = await send({ url: `${app.gateway}/health/ready` });
  return { status, checks: JSON.parse(body).checks };
}

async function metric(name: string, network: string): Promise<string | undefined> {
  const { body } = await send({ url: `${app.control}/metrics` });
  return body.split('\n').find((line) => line.startsWith(`${name}{`) && line.includes(network));
}

function verify(): Promise<{ readonly code: number; readonly output: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TOLLBOOK_DATA_DIR: dataDir };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'dist', 'verify.js')], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

describe('tenants on two chains', () => {
  it('sell to the official client, and are paid on their own chain in their own token', async () => {
    for (const shop of shops) {
      const { asset, payee, price } = shop;
      const before = await shop.chain.balanceOf(asset, payee);
      const client = new x402Client().register('eip155:*', new ExactEvmScheme(buyer));
      // By itself it pays in the best-known token of a chain only, and knows none of these by this address but one.
      client.setSpendControls({ allowedAssets: true });
      const pay = wrapFetchWithPayment(fetchAt(`${shop.id}.example`), client);
      const response = await pay(thing(shop).url);
      expect([response.status, await response.text()]).toEqual([200, 'sold']);
      const answer = decodePaymentResponseHeader(response.headers.get('payment-response')!);
      expect(answer).toMatchObject({ success: true, network: shop.chain.network });
      await settled(response.headers.get('tollbook-payment'));
      expect((await shop.chain.balanceOf(asset, payee)) - before).toBe(price);
    }
  });

  it('show their price in whole units of their token', async () => {
    for (const shop of shops) {
      const page = await send({ ...thing(shop), headers: { ...thing(shop).headers, accept: 'text/html' } });
      expect(page.body).toMatch(/\b0\.002 (USDC|Fine dollar)/);
    }
  });

  it('have books for each asset', async () => {
    for (const shop of shops) await sold(shop);
    for (const { asset, chain, id, payee, price } of shops) {
      const book = `${chain.network}/erc20:${asset}`;
      const query = new URLSearchParams({ tenant: id, asset: book, kind: 'wallet' });
      const { data } = JSON.parse((await admin(app, `/ledger/accounts?${query}`)).body) as {
        data: { party: string; debits_posted: string }[];
      };
      expect(data).toHaveLength(1);
      expect(data[0]!.party).toBe(payee);
      expect(BigInt(data[0]!.debits_posted) % price).toBe(0n);
      expect(BigInt(data[0]!.debits_posted)).toBe(await chain.balanceOf(asset, payee));
    }
  });

  it('are paid twice by one payer with one nonce on two chains', async () => {
    const nonce = `0x${'5a'.repeat(32)}` as const;
    const ids: unknown[] = [];
    for (const shop of shops) {
      const call = thing(shop);
      const { headers, status } = await present(call, await sign(buyer, await ask(call), { nonce }));
      expect(status).toBe(200);
      ids.push(headers['tollbook-payment']);
    }
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) await settled(id);
  });

  it('pay back on the chain of the payment only', async () => {
    const [eastern, western] = shops;
    const id = await sold(western);
    const refund = await transfer(west, USDC_ADDRESS, western.payee, addressOf(buyer), 500n);
    const record = (payment: string) =>
      admin(app, `/payments/${payment}/refunds`, { method: 'POST', body: { transaction: refund } });
    expect(codeOf(await record(await sold(eastern)))).toBe('refund_not_mined');
    const { body, status } = await record(id);
    expect({ status, body: JSON.parse(body) }).toMatchObject({
      status: 201,
      body: { network: west.network, amount: '500' },
    });
  });

  it('have books in order on both chains', async () => {
    const { code, output } = await verify();
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(new RegExp(`✓ chain .*matched on ${east.network}.*matched on ${west.network}`));
    expect(output).toMatch(new RegExp(`✓ gas .*transactions on ${east.network}.*transactions on ${west.network}`));
  });
});

describe('a chain on which no settler has gas', () => {
  it('is named and takes nothing new, and holds up nobody on the other one', async () => {
    const [eastern, western] = shops;
    const address = settlers[0]!;
    const value = await west.node.getBalance({ address });
    const call = thing(western);
    const payment = await sign(buyer, await ask(call));
    expect((await present(call, payment)).status).toBe(200);
    await west.node.setBalance({ address, value: 1n });
    try {
      // Until that is known, whoever is known to have money is served at once, and buys seldom enough to have some left.
      const refused = await eventually(async () => {
        await delay(500);
        const reply = await buyFrom(western);
        return reply.status === 503 && reply;
      }, SETTLE_MS);
      expect(codeOf(refused as Reply)).toBe('settlement_unavailable');
      const runs = upstream.runs();
      expect(codeOf(await buyFrom(western))).toBe('settlement_unavailable');
      expect(upstream.runs()).toBe(runs);
      const { checks, status } = await ready();
      expect([status, checks.settlers]).toEqual([200, `${west.network}: low on gas: ${address}`]);
      expect(await present(call, payment)).toMatchObject({ status: 200, body: 'sold' });
      await sold(eastern);
    } finally {
      await west.node.setBalance({ address, value });
    }
    await eventually(async () => (await buyFrom(western)).status === 200, SETTLE_MS);
  });
});

describe('a chain that is away', () => {
  /** Delivered there, and in no block yet when it left. */
  let left: unknown;

  it('is named, and holds up nobody on the other one', async () => {
    const [eastern, western] = shops;
    await west.node.setAutomine(false);
    const { headers } = await buyFrom(western);
    left = headers['tollbook-payment'];
    await west.leave();
    // What was known of its settlers counts for some seconds.
    await eventually(async () => {
      const { chain, settlers } = (await ready()).checks;
      return [chain, settlers].every((says) => says?.startsWith(`${west.network}: `));
    }, 15_000);
    expect((await ready()).status).toBe(200);
    expect(await metric('tollbook_chain_up', east.network)).toMatch(/ 1$/);
    expect(await metric('tollbook_chain_up', west.network)).toMatch(/ 0$/);
    await sold(eastern);
    await sold(eastern, await newBuyerOf(eastern));
    expect(codeOf(await buyFrom(western, privateKeyToAccount(generatePrivateKey())))).toBe('chain_unavailable');
  });

  it('keeps no process from starting, and is served when it is back', async () => {
    const [eastern, western, fine] = shops;
    await app.kill('SIGTERM');
    app = await startApp({ dataDir, env });
    expect((await ready()).checks.chain).toMatch(new RegExp(`^${west.network}: `));
    await sold(eastern);
    expect(codeOf(await send(thing(fine)))).toBe('chain_unavailable');
    await west.comeBack();
    await eventually(async () => (await ready()).checks.chain === 'ok', 15_000);
    await eventually(() => ask(thing(fine)), 20_000);
    await settled(left);
    await sold(western);
    await sold(fine);
    const { code, output } = await verify();
    expect({ code, output }).toMatchObject({ code: 0 });
  });
});

describe('a tenant on a network that is not served', () => {
  it('cannot be registered, and sells nothing if it is there all the same', async () => {
    const { id: _, ...tenant } = { ...tenantWith({ id: 'gone', host: 'gone.example', upstream: upstream.url }) };
    const elsewhere: Omit<Tenant, 'id'> = { ...tenant, network: 'eip155:1' };
    const refused = await admin(app, '/tenants/gone', { method: 'PUT', body: elsewhere });
    expect([refused.status, codeOf(refused)]).toEqual([422, 'network_not_served']);
    expect(refused.body).toContain(`${east.network}, ${west.network}`);
    const shop = { ...shopOf('gone', east, USDC_ADDRESS, 2_000n), chain: { ...east, network: 'eip155:1' as const } };
    await publish(app.engines.postgres, publicationsOf(shop, upstream.url));
    const offer = await eventually(async () => {
      const reply = await send(thing(shop));
      return reply.status === 503 && reply;
    });
    expect(codeOf(offer as Reply)).toBe('payment_network_unavailable');
    expect(await supportedFor(app, 'gone')).toMatchObject({ kinds: [] });
  });

  it('leaves a gap in what can be verified', async () => {
    const { code, output } = await verify();
    expect(code).toBe(1);
    expect(
      output.match(/not compared: wallet 0x[0-9a-f]{40} is on eip155:1, and no node of that chain is known/g),
    ).toHaveLength(1);
  });
});
