import { text } from 'node:stream/consumers';
import { encodeFunctionData, erc20Abi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { ChainUnavailable } from '../../src/base/chain/chain.js';
import { type ChainClient, createChainClient } from '../../src/base/chain/chain-client.js';
import { transferCallData } from '../../src/base/chain/eip3009.js';
import { balanceOf } from '../../src/base/chain/token-calls.js';
import { feeOf, readOutcome, readReceipt } from '../../src/base/chain/transaction-outcome.js';
import { type TransferLog, transferLogs, transfersOf } from '../../src/base/chain/transfer-logs.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { freePort } from '../support/ports.js';
import { countingUpstream } from '../support/upstream.js';
import { mintUsdc } from '../support/usdc.js';
import {
  addressOf,
  authorizationOf,
  type LocalChain,
  randomHex,
  randomKey,
  signAuthorization,
  startLocalChain,
  walletAt,
} from './support.js';

let chain: LocalChain;
const sender = privateKeyToAccount(randomKey());

beforeAll(async () => {
  chain = await startLocalChain();
  await mintUsdc(chain.rpcUrl, addressOf(sender), 1_000_000n);
  await chain.node.setBalance({ address: sender.address, value: 10n ** 20n });
});
afterAll(() => chain.stop());

async function sendToToken(data: Hex): Promise<Hex> {
  const wallet = walletAt(chain.rpcUrl, sender);
  const hash = await wallet.sendTransaction({ chain: null, to: chain.token.address, data, gas: 200_000n });
  await chain.node.waitForTransactionReceipt({ hash, pollingInterval: 20 });
  return hash;
}

function transfer(to: Address, value: bigint): Promise<Hex> {
  return sendToToken(encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, value] }));
}

async function all(pages: AsyncIterable<TransferLog[]>): Promise<TransferLog[]> {
  const found: TransferLog[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

/** The real node, but one that answers for few blocks at a time, in some node's words. */
function stingy(blocksMax: bigint, words: string, code = -32005) {
  const spans: bigint[] = [];
  const client = createChainClient({ rpcUrl: chain.rpcUrl });
  const refusing = createChainClient({ rpcUrl: chain.rpcUrl });
  const request = async (args: { method: string; params: readonly [{ fromBlock: Hex; toBlock: Hex }] }) => {
    const [{ fromBlock, toBlock }] = args.params;
    const span = BigInt(toBlock) - BigInt(fromBlock) + 1n;
    spans.push(span);
    if (span > blocksMax) throw await refusal(refusing, code, words);
    return client.request(args as never);
  };
  return { spans, client: { ...client, request } as unknown as ChainClient };
}

/** An error as the client makes it of a node's answer. */
async function refusal(client: ChainClient, code: number, message: string): Promise<unknown> {
  const original = globalThis.fetch;
  globalThis.fetch = async () => Response.json([{ jsonrpc: '2.0', id: 0, error: { code, message } }]);
  try {
    return await client.request({ method: 'eth_chainId' }, { retryCount: 0 }).then(
      () => new Error('no refusal'),
      (error: unknown) => error,
    );
  } finally {
    globalThis.fetch = original;
  }
}

describe('transferLogs', () => {
  it('finds each transfer once and in order, by either party, within both ends', async () => {
    const [a, b] = [randomHex(20), randomHex(20)];
    const first = await chain.client.getBlockNumber({ cacheTime: 0 });
    const sent: Hex[] = [];
    for (const [to, value] of [
      [a, 1n],
      [b, 2n],
      [a, 3n],
    ] as const)
      sent.push(await transfer(to, value));
    const last = await chain.client.getBlockNumber({ cacheTime: 0 });
    const read = (parties: { from?: Address; to?: Address }, from = first, to = last) =>
      all(transferLogs(chain.client, chain.token, parties, from, to));
    expect((await read({ from: addressOf(sender) })).map(({ transaction }) => transaction)).toEqual(sent);
    expect(await read({ to: a })).toMatchObject([
      { from: addressOf(sender), to: a, value: 1n, transaction: sent[0] },
      { from: addressOf(sender), to: a, value: 3n, transaction: sent[2], blockNumber: last },
    ]);
    expect(await read({ to: a }, first, last - 1n)).toHaveLength(1);
    expect(await read({ to: a }, last + 1n, last)).toEqual([]);
  });

  it.each([
    ['query returned more than 10000 results'],
    ['Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range'],
    ['eth_getLogs is limited to a 10,000 range'],
    ['exceed maximum block range: 50000'],
    ['block range is too wide'],
    ['query exceeds max results 20000, retry with the range 1-9'],
    ['logs matched by query exceeds limit of 10000'],
    ['query exceeds max block range 100000'],
  ])('asks in smaller ranges after: %s', async (words) => {
    const to = randomHex(20);
    const first = await chain.client.getBlockNumber({ cacheTime: 0 });
    await transfer(to, 5n);
    await chain.node.mine({ blocks: 30 });
    await transfer(to, 6n);
    const last = await chain.client.getBlockNumber({ cacheTime: 0 });
    const { client, spans } = stingy(7n, words);
    const found = await all(transferLogs(client, chain.token, { to }, first, last));
    expect(found.map(({ value }) => value)).toEqual([5n, 6n]);
    expect(spans.filter((span) => span <= 7n).reduce((sum, span) => sum + span, 0n)).toBe(last - first + 1n);
  });

  it('asks in smaller ranges after an answer of more bytes than the client reads', async () => {
    const to = randomHex(20);
    const first = await chain.client.getBlockNumber({ cacheTime: 0 });
    await transfer(to, 5n);
    await chain.node.mine({ blocks: 30 });
    await transfer(to, 6n);
    const last = await chain.client.getBlockNumber({ cacheTime: 0 });
    // White space is JSON, too.
    const verbose = await countingUpstream(async (message, reply) => {
      const body = await text(message);
      const headers = { 'content-type': 'application/json' };
      const answer = await (await fetch(chain.rpcUrl, { method: 'POST', body, headers })).text();
      const [{ fromBlock, toBlock }] = [JSON.parse(body)].flat()[0].params;
      reply.end(BigInt(toBlock) - BigInt(fromBlock) < 7n ? answer : ' '.repeat(11_000_000) + answer);
    });
    try {
      const client = createChainClient({ rpcUrl: verbose.url, timeoutMs: 20_000 });
      const found = await all(transferLogs(client, chain.token, { to }, first, last));
      expect(found.map(({ value }) => value)).toEqual([5n, 6n]);
    } finally {
      await verbose.stop();
    }
  });

  it('gives up when even one block is refused, and at once after a refusal of another kind', async () => {
    const never = stingy(0n, 'query returned more than 10000 results');
    await expect(all(transferLogs(never.client, chain.token, {}, 1n, 8n))).rejects.toThrow(ChainUnavailable);
    expect(never.spans).toEqual([8n, 4n, 2n, 1n]);
    const limited = stingy(0n, 'Too many requests, reason: call rate limit exhausted', 429);
    await expect(all(transferLogs(limited.client, chain.token, {}, 1n, 8n))).rejects.toThrow(ChainUnavailable);
    expect(limited.spans).toEqual([8n]);
    const gone = createChainClient({ rpcUrl: `http://127.0.0.1:${await freePort()}`, timeoutMs: 500 });
    await expect(all(transferLogs(gone, chain.token, {}, 1n, 8n))).rejects.toThrow(ChainUnavailable);
  });
});

describe('transfersOf', () => {
  it('tells a transfer by authorization from one that the owner sent', async () => {
    const to = randomHex(20);
    const authorization = authorizationOf(addressOf(sender), to, 9n);
    const signature = await signAuthorization(sender, chain.token, authorization);
    const byAuthorization = await sendToToken(transferCallData({ authorization, signature }));
    expect(await transfersOf(chain.client, chain.token, byAuthorization)).toMatchObject([
      { from: addressOf(sender), to, value: 9n, authorization: authorization.nonce },
    ]);
    const [plain] = (await transfersOf(chain.client, chain.token, await transfer(to, 4n)))!;
    expect(plain).toMatchObject({ to, value: 4n });
    expect(plain).not.toHaveProperty('authorization');
  });

  it('finds none in a transaction that failed, and knows none that is in no block', async () => {
    const failed = await transfer(randomHex(20), 10n ** 15n);
    expect(await readOutcome(chain.client, failed)).toMatchObject({ kind: 'mined', succeeded: false });
    expect(await transfersOf(chain.client, chain.token, failed)).toEqual([]);
    expect(await transfersOf(chain.client, chain.token, randomHex(32))).toBeUndefined();
  });
});

describe('what the chain remembers', () => {
  it('is the balance after a block', async () => {
    const to = randomHex(20);
    await transfer(to, 7n);
    const block = await chain.client.getBlockNumber({ cacheTime: 0 });
    await transfer(to, 8n);
    expect(await balanceOf(chain.client, chain.token, to, block)).toBe(7n);
    expect(await balanceOf(chain.client, chain.token, to, block - 1n)).toBe(0n);
    expect(await balanceOf(chain.client, chain.token, to)).toBe(15n);
  });

  it('is the fee that left the account of the sender', async () => {
    const gas = () => chain.client.getBalance({ address: sender.address });
    for (const value of [1n, 10n ** 15n]) {
      const before = await gas();
      const outcome = await readOutcome(chain.client, await transfer(randomHex(20), value));
      expect(outcome).toMatchObject({ kind: 'mined', fee: before - (await gas()) });
    }
  });

  it('is the fee of the chain below, where the receipt has one', async () => {
    const receipt = (await readReceipt(chain.client, await transfer(randomHex(20), 1n)))!;
    const plain = feeOf(receipt);
    expect(feeOf({ ...receipt, l1Fee: '0x10' } as never)).toBe(plain + 16n);
    expect(() => feeOf({ ...receipt, effectiveGasPrice: undefined } as never)).toThrow(ChainUnavailable);
  });
});
