import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChainUnavailable } from '../../src/base/chain/chain.js';
import { asked, assertChainIds, type ChainClient, createFailoverClient } from '../../src/base/chain/chain-client.js';
import { balanceOf } from '../../src/base/chain/token-calls.js';
import { freePort } from '../support/ports.js';
import { mintUsdc } from '../support/usdc.js';
import { type LocalChain, NETWORK, startLocalChain } from './support.js';

/** A node in front of the real chain that can be away, behind, limited, or on another chain. */
interface Relay {
  readonly url: string;
  state: 'well' | 'away' | 'limited' | 'elsewhere';
  /** Blocks that it has not seen. */
  behind: number;
  /** Methods that it was asked for, but for those that look at the node itself. */
  readonly calls: string[];
  close(): Promise<void>;
}

interface Call {
  readonly id: number;
  readonly method: string;
}

let chain: LocalChain;
let relays: Relay[] = [];

beforeAll(async () => {
  chain = await startLocalChain();
  await chain.node.mine({ blocks: 30 });
});
afterEach(async () => {
  await Promise.all(relays.map((relay) => relay.close()));
  relays = [];
});
afterAll(() => chain.stop());

async function relay(state: Relay['state'] = 'well', behind = 0): Promise<Relay> {
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const sent = JSON.parse(body) as Call | Call[];
    const calls = [sent].flat();
    for (const { method } of calls)
      if (method !== 'eth_chainId' && method !== 'eth_blockNumber') one.calls.push(method);
    if (one.state === 'away') return void response.socket?.destroy();
    const answers = await Promise.all(calls.map((call) => answerTo(one, call)));
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(Array.isArray(sent) ? answers : answers[0]));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((done) => {
      server.closeAllConnections();
      server.close(() => done());
    });
  const one: Relay = { url, state, behind, calls: [], close };
  relays.push(one);
  return one;
}

async function answerTo({ behind, state }: Relay, call: Call): Promise<object> {
  const named = { jsonrpc: '2.0', id: call.id };
  if (call.method === 'eth_chainId' && state === 'elsewhere') return { ...named, result: '0x1' };
  if (state === 'limited' && call.method === 'eth_call') {
    return { ...named, error: { code: -32_005, message: 'limit exceeded' } };
  }
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(chain.rpcUrl, { method: 'POST', headers, body: JSON.stringify(call) });
  const answer = (await response.json()) as { result: string };
  if (call.method !== 'eth_blockNumber') return answer;
  return { ...answer, result: `0x${(Number(answer.result) - behind).toString(16)}` };
}

const client = (...nodes: readonly Relay[]) =>
  createFailoverClient(
    NETWORK,
    nodes.map(({ url }) => url),
  );
const read = (by: ChainClient) => balanceOf(by, chain.token, chain.settler);

it('asks the first node alone while it is well', async () => {
  const [first, second] = [await relay(), await relay()];
  await read(client(first, second));
  expect(first.calls).toEqual(['eth_call']);
  expect(second.calls).toEqual([]);
});

it.each(['away', 'limited'] as const)('goes on with the second when the first is %s in mid-run', async (state) => {
  const [first, second] = [await relay(), await relay()];
  const by = client(first, second);
  const before = await read(by);
  first.state = state;
  expect(await read(by)).toBe(before);
  expect(second.calls).toEqual(['eth_call']);
  // Not asked again and again while it rests.
  const asked = first.calls.length;
  await read(by);
  expect(first.calls.length).toBe(asked);
});

it('never uses a node of another chain', async () => {
  const [first, second] = [await relay('elsewhere'), await relay()];
  const by = client(first, second);
  await read(by);
  expect(first.calls).toEqual([]);
  second.state = 'away';
  await expect(asked('balance', read(by))).rejects.toThrow(ChainUnavailable);
  expect(first.calls).toEqual([]);
});

it('prefers a later node to one that lags', async () => {
  const [first, second] = [await relay('well', 6), await relay()];
  await read(client(first, second));
  expect([first.calls, second.calls]).toEqual([[], ['eth_call']]);
});

it.each([
  ['head', (by: ChainClient) => by.getBlockNumber({ cacheTime: 0 })],
  ['block', (by: ChainClient) => by.getBlock()],
  ['log', (by: ChainClient) => by.getLogs({ address: chain.token.address, fromBlock: 0n })],
] as const)(
  'uses no node that is behind a %s which was answered before: unknown is better than old',
  async (_, ask) => {
    await mintUsdc(chain.rpcUrl, chain.settler, 1n);
    const [first, second] = [await relay(), await relay('well', 5)];
    const by = client(first, second);
    await ask(by);
    first.state = 'away';
    await expect(asked('balance', read(by))).rejects.toThrow(ChainUnavailable);
    expect(second.calls).toEqual([]);
    second.behind = 0;
    await read(by);
    expect(second.calls).toEqual(['eth_call']);
  },
);

it('takes an error of the contract for an answer', async () => {
  const [first, second] = [await relay(), await relay()];
  const refused = client(first, second).call({ to: chain.token.address, data: '0xdeadbeef' });
  await expect(refused).rejects.toThrow(/revert/);
  expect(second.calls).toEqual([]);
});

describe('at the start', () => {
  const nobody = async () => `http://127.0.0.1:${await freePort()}`;

  it('may miss a node, but not all', async () => {
    await assertChainIds(NETWORK, [await nobody(), (await relay()).url]);
    await expect(assertChainIds(NETWORK, [await nobody(), await nobody()])).rejects.toThrow(ChainUnavailable);
  });

  it('refuses a list with a node of another chain', async () => {
    const urls = [(await relay()).url, (await relay('elsewhere')).url];
    await expect(assertChainIds(NETWORK, urls)).rejects.toThrow('serves eip155:1, but eip155:84532 is configured');
  });
});
