import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PrivateKeyAccount } from 'viem/accounts';
import { ChainUnavailable, type SettlementItem } from '../../src/base/chain/chain.js';
import { type ChainClient, createChainClient } from '../../src/base/chain/chain-client.js';
import { ViemSettlementChain } from '../../src/base/chain/settlement-chain.js';
import { keySigner } from '../../src/base/chain/signer.js';
import {
  allAre,
  type Desk,
  deliver,
  newPayer,
  openDesk,
  startWorker,
  stateOf,
  transfersFrom,
} from '../settlement/support.js';
import { eventually } from '../support/eventually.js';
import { mintUsdc } from '../support/usdc.js';
import {
  addressOf,
  authorizationOf,
  type LocalChain,
  NETWORK,
  randomHex,
  signAuthorization,
  startLocalChain,
} from './support.js';

const LONG_MS = 45_000;
const YEARS = 400_000_000;

interface Call {
  readonly id: number;
  readonly method: string;
}
interface Answer {
  readonly id: number;
  readonly result?: unknown;
}
interface Log {
  readonly topics: readonly string[];
}
/** What is answered to one call in the place of the truth; the same object if it is no lie. */
type Lie = (call: Call, truth: Answer) => Answer;

let chain: LocalChain;
let client: ChainClient;
let settlement: ViemSettlementChain;
let lie: Lie | undefined;
/** Writes the answers in the place of the node. */
let writing: ((response: ServerResponse, answers: Answer | Answer[]) => void) | undefined;
let told = 0;

const node = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  const calls = JSON.parse(body) as Call | Call[];
  const headers = { 'content-type': 'application/json' };
  const truth = (await (await fetch(chain.rpcUrl, { method: 'POST', headers, body })).json()) as Answer | Answer[];
  const answers = [truth].flat().map((one) => {
    const call = [calls].flat().find(({ id }) => id === one.id)!;
    const said = lie?.(call, one) ?? one;
    if (said !== one) told++;
    return said;
  });
  const said = Array.isArray(calls) ? answers : answers[0]!;
  response.setHeader('content-type', 'application/json');
  if (writing) writing(response, said);
  else response.end(JSON.stringify(said));
});

beforeAll(async () => {
  chain = await startLocalChain();
  await new Promise<void>((done) => node.listen(0, '127.0.0.1', done));
  client = createChainClient({ rpcUrl: `http://127.0.0.1:${(node.address() as AddressInfo).port}`, timeoutMs: 1_000 });
  settlement = new ViemSettlementChain({
    client,
    network: NETWORK,
    signers: [keySigner(chain.settlerKey)],
    pollMs: 10,
  });
});
afterEach(() => {
  lie = undefined;
  writing = undefined;
  told = 0;
});
afterAll(async () => {
  node.closeAllConnections();
  node.close();
  await chain.stop();
});

const about =
  <T>(method: string, change: (result: T) => unknown): Lie =>
  ({ method: asked }, truth) =>
    asked === method ? { ...truth, result: change(truth.result as T) } : truth;
const both =
  (first: Lie, second: Lie): Lie =>
  (call, truth) =>
    second(call, first(call, truth));
/** `authorizationState` is the only call to the token that answers with a truth value. */
const saysUsed = (used: boolean) =>
  about<string>('eth_call', (result) => (/^0x0{63}[01]$/.test(result) ? `0x${'0'.repeat(63)}${Number(used)}` : result));
const changedLogs = (change: (log: Log) => object): Lie => about<Log[]>('eth_getLogs', (logs) => logs.map(change));

async function signedItem(payer: PrivateKeyAccount): Promise<SettlementItem> {
  const authorization = authorizationOf(addressOf(payer), randomHex(20), 1_000n);
  return { authorization, signature: await signAuthorization(payer, chain.token, authorization) };
}

async function settled(item: SettlementItem) {
  const nonce = await settlement.minedNonce(chain.settler);
  const signed = await settlement.sign(chain.token, [item], { settler: chain.settler, nonce });
  await settlement.broadcast(signed);
  expect(await settlement.waitForNonce(signed, LONG_MS)).toBe(true);
  return signed;
}

describe('of one authorization', () => {
  let item: SettlementItem;
  let hash: `0x${string}`;
  const outcome = () => settlement.authorizationOutcome(chain.token, item.authorization.from, item.authorization.nonce);

  beforeAll(async () => {
    item = await signedItem(await newPayer(chain, 10_000n));
    ({ hash } = await settled(item));
  });

  it.each<[string, Lie]>([
    ['a log of another contract', changedLogs((log) => ({ ...log, address: `0x${'aa'.repeat(20)}` }))],
    ['a log of another nonce', changedLogs((log) => ({ ...log, topics: [...log.topics.slice(0, 2), randomHex(32)] }))],
    [
      'a log of another payer',
      changedLogs((log) => ({ ...log, topics: [log.topics[0], randomHex(32), log.topics[2]] })),
    ],
    ['a log of another event', changedLogs((log) => ({ ...log, topics: [randomHex(32), ...log.topics.slice(1)] }))],
    ['a log that is taken back', changedLogs((log) => ({ ...log, removed: true }))],
    ['a log in another block than its receipt', changedLogs((log) => ({ ...log, blockHash: randomHex(32) }))],
    ['no log', about('eth_getLogs', () => [])],
    ['a log without its receipt', about('eth_getTransactionReceipt', () => null)],
    [
      'a receipt of another transaction',
      about<object>('eth_getTransactionReceipt', (it) => ({ ...it, transactionHash: randomHex(32) })),
    ],
    ['a receipt without the log', about<object>('eth_getTransactionReceipt', (it) => ({ ...it, logs: [] }))],
  ])('%s means unknown', async (_, told) => {
    lie = told;
    await expect(outcome()).rejects.toThrow(ChainUnavailable);
    lie = undefined;
    expect(await outcome()).toMatchObject({ kind: 'transferred', transaction: hash, value: 1_000n });
  });

  it('used, although it is not, means unknown', async () => {
    const { authorization } = await signedItem(await newPayer(chain, 10_000n));
    const asked = () => settlement.authorizationOutcome(chain.token, authorization.from, authorization.nonce);
    lie = saysUsed(true);
    await expect(asked()).rejects.toThrow(ChainUnavailable);
    lie = undefined;
    expect(await asked()).toEqual({ kind: 'unused' });
  });

  it('a receipt of what is in no block means unknown', async () => {
    const stray = randomHex(32);
    const receipt = await client.request({ method: 'eth_getTransactionReceipt', params: [hash] });
    lie = about('eth_getTransactionReceipt', () => ({ ...receipt, transactionHash: stray }));
    await expect(settlement.transactionOutcome(stray)).rejects.toThrow(ChainUnavailable);
    lie = undefined;
    expect(await settlement.transactionOutcome(stray)).toEqual({ kind: 'unknown' });
  });
});

describe('an answer', () => {
  const text =
    (body: string, status = 200) =>
    (response: ServerResponse) =>
      response.writeHead(status).end(body);
  const json = (change: (said: Answer | Answer[]) => unknown) => (response: ServerResponse, said: Answer | Answer[]) =>
    response.end(JSON.stringify(change(said)));
  const each = (change: (answer: Answer) => unknown) =>
    json((said) => (Array.isArray(said) ? said.map(change) : change(said)));

  it.each<[string, NonNullable<typeof writing>]>([
    ['in HTML', text('<html>busy</html>')],
    ['in HTML, as an error', text('<html>bad gateway</html>', 502)],
    ['of nothing', text('')],
    ['that is cut', (response, said) => void response.end(JSON.stringify(said).slice(0, -5))],
    ['that does not end', (response) => void response.write('[{"jsonrpc":"2.0","id":1,"result":"0x')],
    ['with the numbers of other questions', each((one) => ({ ...one, id: one.id + 1 }))],
    ['without numbers', each(({ result }) => ({ result }))],
    ['with neither result nor error', each(({ id }) => ({ id }))],
    ['that says one thing twice', json((said) => (Array.isArray(said) ? [said[0], said[0], ...said.slice(2)] : {}))],
  ])('%s means unknown', async (_, how) => {
    writing = how;
    const asked = [settlement.minedNonce(chain.settler), settlement.gasBalance(chain.settler), settlement.head()];
    for (const one of await Promise.allSettled(asked)) {
      expect(one).toEqual({ status: 'rejected', reason: expect.any(ChainUnavailable) });
    }
    writing = undefined;
    expect(await settlement.minedNonce(chain.settler)).toBe(
      await chain.node.getTransactionCount({ address: chain.settler }),
    );
  });
});

describe('a worker that is lied to decides nothing, and settles once when it is not any more', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await openDesk();
  });
  afterEach(() => desk.close());

  const ahead = about<{ readonly timestamp: string }>('eth_getBlockByNumber', (block) => ({
    ...block,
    timestamp: `0x${(Number(block.timestamp) + YEARS).toString(16)}`,
  }));
  it.each<[string, Lie]>([
    ['all is used', saysUsed(true)],
    ['nothing is used', saysUsed(false)],
    ['no transaction has a receipt', about('eth_getTransactionReceipt', () => null)],
    ['the count of transactions went back', about('eth_getTransactionCount', () => '0x0')],
    ['the newest block is years ahead', ahead],
    ['years have passed and nothing was used', both(ahead, saysUsed(false))],
  ])(
    '%s',
    async (_, what) => {
      const [rich, broke] = [await newPayer(chain, 10_000n), await newPayer(chain, 0n)];
      lie = what;
      const worker = await startWorker(desk, { ...chain, client });
      try {
        const sold = await Promise.all([
          deliver(desk, chain, rich, { mode: 'async' }),
          deliver(desk, chain, rich, { mode: 'after' }),
          deliver(desk, chain, broke, { mode: 'async' }),
        ]);
        const ids = sold.map(({ id }) => id);
        const states = () => Promise.all(ids.map(async (id) => (await stateOf(desk, id)).status));
        await eventually(() => told > 6, LONG_MS);
        for (const status of await states()) expect(['delivered', 'submitted', 'settled']).toContain(status);
        expect((await states())[2]).not.toBe('settled');
        lie = undefined;
        await mintUsdc(chain.rpcUrl, addressOf(broke), 10_000n);
        await eventually(() => allAre(desk, 'settled', ids), LONG_MS);
        expect(await transfersFrom(chain, addressOf(rich))).toBe(2);
        expect(await transfersFrom(chain, addressOf(broke))).toBe(1);
      } finally {
        await worker.stop();
      }
    },
    120_000,
  );
});
