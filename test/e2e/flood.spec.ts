import { randomBytes } from 'node:crypto';
import { parseList } from 'structured-headers';
import type { LocalAccount } from 'viem';
import { createTestClient, http } from 'viem';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { walletCode } from '../chain/support.js';
import { type App, startApp } from '../support/app.js';
import { Books } from '../support/books.js';
import { type Call, codeOf, type Reply, send } from '../support/http.js';
import { addressOf, ask, buy, newBuyer, type Offer, offerOf, present, sign } from '../support/payment.js';
import { installationOf } from '../support/sibling.js';
import { type CountingUpstream, countingUpstream } from '../support/upstream.js';

const FLOOD = 800;
const AT_ONCE = 24;
const WALLET_CHECKS = 300;
const WINDOW_MS = 10_000;
const MONEY = 10_000_000n;

let app: App;
let gateway: App;
let books: Books;
/** The chain's node, with every payer whose code it was asked for. */
let node: CountingUpstream;
const askedFor: string[] = [];

beforeAll(async () => {
  app = await startApp();
  node = await countingUpstream((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString();
      for (const [, address] of body.matchAll(/"eth_getCode","params":\["(0x[0-9a-f]{40})"/g)) askedFor.push(address!);
      const answer = await fetch(app.engines.chain, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      reply.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    });
  });
  gateway = await startApp({ env: { ...installationOf(app), ROLE: 'gateway', CHAIN_RPC_URL: node.url } });
  books = new Books(app.engines);
});

afterAll(async () => {
  await books?.close();
  await gateway?.stop();
  await node?.stop();
  await app?.stop();
});

const weather = (from?: string): Call => ({
  url: `${gateway.gateway.replace('localhost', '127.0.0.1')}/demo/weather`,
  from,
});
const hex = (bytes: number): Hex => `0x${randomBytes(bytes).toString('hex')}`;
const somebody = () => hex(20);

/** Presents a payment that nobody signed. */
async function forge(offer: Offer, payer: Address, from: string): Promise<Reply> {
  const accepted = offer.accepts[0];
  const validBefore = String(Math.floor(Date.now() / 1000) + accepted.maxTimeoutSeconds);
  const terms = { from: payer, to: accepted.payTo, value: accepted.amount, validAfter: '0', validBefore };
  const payload = { authorization: { ...terms, nonce: hex(32) }, signature: `${hex(64)}1b` as Hex };
  return present(weather(from), { x402Version: 2, accepted, resource: offer.resource, payload });
}

/** A flood of them, some at once, until `FLOOD` were answered and one was cut short; the replies by status. */
async function flood(payer: () => Address, from: string): Promise<readonly Reply[]> {
  const offer = await ask(weather());
  const replies: Reply[] = [];
  let limited = false;
  const one = async () => {
    while (replies.length < FLOOD || !limited) {
      const reply = await forge(offer, payer(), from);
      limited ||= reply.status === 429;
      replies.push(reply);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return replies;
}

/** Buys for as long as the flood runs, at least once; how often. All of it has to work. */
async function buyDuring(running: Promise<unknown>, buyer: () => Promise<LocalAccount>, from: string): Promise<number> {
  let over = false;
  void running.finally(() => {
    over = true;
  });
  let bought = 0;
  do {
    const reply = await buy(await buyer(), weather(from));
    if (reply.status !== 200) throw new Error(`an honest payer got ${reply.status} ${reply.body.slice(0, 200)}`);
    bought++;
  } while (!over);
  return bought;
}

async function knownBuyer(from: string): Promise<LocalAccount> {
  const buyer = await newBuyer(app, MONEY);
  expect(await buy(buyer, weather(from))).toMatchObject({ status: 200 });
  return buyer;
}

/** A contract wallet that asks for its owner's signature; the owner's key is the account's own. */
async function knownWallet(from: string): Promise<LocalAccount> {
  const buyer = await newBuyer(app, MONEY);
  const address = addressOf(buyer);
  const chain = createTestClient({ mode: 'anvil', transport: http(app.engines.chain) });
  await chain.setCode({ address, bytecode: walletCode('MockERC1271Wallet') });
  await chain.setStorageAt({ address, index: 0, value: `0x${address.slice(2).padStart(64, '0')}` });
  expect(await buy(buyer, weather(from))).toMatchObject({ status: 200 });
  return buyer;
}

function expectRefusals(replies: readonly Reply[]): void {
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([402, 429]));
  for (const reply of replies) {
    if (reply.status === 402) {
      expect(offerOf(reply).error).toBe('invalid_exact_evm_payload_signature');
      continue;
    }
    const { headers } = reply;
    expect(codeOf(reply)).toBe('rate_limited');
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const [[policy, parameters]] = parseList(headers.ratelimit as string) as unknown as [[string, Map<string, number>]];
    expect(parameters.get('r')).toBe(0);
    expect(parseList(headers['ratelimit-policy'] as string)[0]![0]).toBe(policy);
  }
}

describe('a flood of invalid signatures', () => {
  it('in the name of an honest payer, from its own address, is not felt by it and costs no call', async () => {
    const buyer = await knownBuyer('127.0.0.1');
    const before = askedFor.length;
    const running = flood(() => addressOf(buyer), '127.0.0.1');
    const bought = await buyDuring(running, async () => buyer, '127.0.0.1');
    expectRefusals(await running);
    expect(await books.admissionsOf(addressOf(buyer))).toBe(1 + bought);
    // Its state is refreshed in the background, once a second, flood or no flood.
    expect(new Set(askedFor.slice(before))).toEqual(new Set([addressOf(buyer)]));
  });

  it('in the names of strangers asks the chain within its budget, and new payers get through', async () => {
    const began = performance.now();
    const before = askedFor.length;
    const strangers = new Set<string>();
    const name = () => {
      const payer = somebody();
      strangers.add(payer);
      return payer;
    };
    const running = flood(name, '127.0.0.2');
    await buyDuring(running, () => newBuyer(app, MONEY), '127.0.0.2');
    expectRefusals(await running);
    const windows = 1 + Math.ceil((performance.now() - began) / WINDOW_MS);
    const asked = askedFor.slice(before).filter((address) => strangers.has(address));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThanOrEqual(windows * WALLET_CHECKS);
  });

  it('in the name of a known contract wallet, from elsewhere, does not lock it out', async () => {
    const wallet = await knownWallet('127.0.0.3');
    const running = flood(() => addressOf(wallet), '127.0.0.4');
    const bought = await buyDuring(running, async () => wallet, '127.0.0.3');
    expectRefusals(await running);
    expect(await books.admissionsOf(addressOf(wallet))).toBe(1 + bought);
  });

  it('in the names of strangers, from the address of a known contract wallet, does not lock it out', async () => {
    const wallet = await knownWallet('127.0.0.5');
    const running = flood(somebody, '127.0.0.5');
    await buyDuring(running, async () => wallet, '127.0.0.5');
    expectRefusals(await running);
  });

  it('leaves the wallets that nobody floods for their look-ups', async () => {
    const buyer = await newBuyer(app, MONEY);
    const offer = await ask(weather());
    const payment = await sign(buyer, offer);
    const spoilt = { ...payment, payload: { ...payment.payload, signature: `${hex(64)}1b` as Hex } };
    const reply = await present(weather('127.0.0.6'), spoilt);
    expect(offerOf(reply).error).toBe('invalid_exact_evm_payload_signature');
    expect(await send({ url: `${gateway.gateway}/health/ready` })).toMatchObject({ status: 200 });
  });
});
