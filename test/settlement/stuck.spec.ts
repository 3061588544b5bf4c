import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseGwei } from 'viem';
import type { Hex } from '../../src/base/shared/hex.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { processScript } from '../support/process-script.js';
import {
  allAre,
  type Desk,
  deliver,
  gasBooked,
  newPayer,
  openDesk,
  startWorker,
  stateOf,
  transfersFrom,
  type WorkerOptions,
} from './support.js';

const LONG_MS = 30_000;
const LOW = parseGwei('1');
const SPIKE = parseGwei('50');

let chain: LocalChain;
let desk: Desk;
let gas: bigint;

beforeEach(async () => {
  chain = await startLocalChain();
  desk = await openDesk();
  gas = await balance();
  await nextBaseFee(LOW);
  await chain.node.mine({ blocks: 1 });
});
afterEach(async () => {
  await desk.close();
  await chain.stop();
});

function balance(): Promise<bigint> {
  return chain.client.getBalance({ address: chain.settler });
}

function nextBaseFee(baseFeePerGas: bigint): Promise<void> {
  return chain.node.setNextBlockBaseFeePerGas({ baseFeePerGas });
}

interface Sent {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly status: string;
}

async function attempts(): Promise<readonly Sent[]> {
  const { rows } = await desk.pool.query<Sent>(
    'select hash, raw, status from settlement_transactions order by attempt',
  );
  return rows;
}

/** A payment whose transaction the node has and does not mine. */
async function sendOne(): Promise<{ readonly id: PaymentId; readonly payer: Hex }> {
  const payer = await newPayer(chain, 10_000n);
  await chain.node.setAutomine(false);
  const { id } = await deliver(desk, chain, payer, { mode: 'async' });
  const inPool = async () => (await chain.node.getTxpoolStatus()).pending === 1;
  await eventually(async () => (await allAre(desk, 'submitted', [id])) && (await inPool()), LONG_MS);
  return { id, payer: addressOf(payer) };
}

/** Runs some workers meanwhile. */
async function withWorkers<T>(count: number, options: WorkerOptions, work: () => Promise<T>): Promise<T> {
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(desk, chain, options)));
  try {
    return await work();
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

async function expectSettledBy(id: PaymentId, payer: Hex, hash: Hex): Promise<void> {
  await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
  expect(await stateOf(desk, id)).toMatchObject({ settled: { transaction: hash, by: 'settler' } });
  expect(await transfersFrom(chain, payer)).toBe(1);
  await eventually(async () => (await gasBooked(desk)) === gas - (await balance()), LONG_MS);
  const mined = (await attempts()).filter(({ status }) => status === 'mined');
  expect(mined.map((one) => one.hash)).toEqual([hash]);
}

it('replaces a transaction that a spike of the base fee left behind, once with two workers', async () => {
  await withWorkers(2, {}, async () => {
    const { id, payer } = await sendOne();
    await nextBaseFee(SPIKE);
    await chain.node.mine({ blocks: 1 });
    await eventually(async () => (await attempts()).length === 2, LONG_MS);
    const [first, second] = await attempts();
    const inPool = () => chain.client.request({ method: 'eth_getTransactionByHash', params: [second!.hash] });
    await eventually(async () => (await inPool()) !== null, LONG_MS);
    const events = await desk.store.readStream(`payment/${id}`);
    expect(events.slice(2)).toMatchObject([
      { type: 'SettlementSubmitted', data: { transaction: first!.hash, attempt: 1 } },
      { type: 'SettlementSubmitted', data: { transaction: second!.hash, attempt: 2 } },
    ]);
    await chain.node.mine({ blocks: 1 });
    await expectSettledBy(id, payer, second!.hash);
    expect(await attempts()).toHaveLength(2);
  });
});

it('counts the first attempt when that is mined after it was replaced', async () => {
  const { id, payer } = await withWorkers(1, {}, async () => {
    const sent = await sendOne();
    await nextBaseFee(SPIKE);
    await chain.node.mine({ blocks: 1 });
    await eventually(async () => (await attempts()).length === 2, LONG_MS);
    return sent;
  });
  const [first, second] = await attempts();
  await chain.node.dropTransaction({ hash: second!.hash });
  await nextBaseFee(LOW);
  await chain.node.mine({ blocks: 1 });
  await chain.client.request({ method: 'eth_sendRawTransaction', params: [first!.raw] });
  await chain.node.setAutomine(true);
  await nextBaseFee(LOW);
  await chain.node.mine({ blocks: 1 });
  await withWorkers(1, {}, () => expectSettledBy(id, payer, first!.hash));
});

it('finishes the replacement of a worker that was killed when it was signed', async () => {
  const { id, payer } = await withWorkers(1, {}, sendOne);
  await nextBaseFee(SPIKE);
  await chain.node.mine({ blocks: 1 });
  const script = processScript('test/settlement/worker-process');
  const urls = [desk.databaseUrl, desk.redisUrl, chain.rpcUrl, chain.settlerKey];
  const child = spawn(process.execPath, [script, ...urls], { stdio: 'ignore' });
  await eventually(async () => (await attempts()).length === 2, LONG_MS).finally(() => child.kill('SIGKILL'));
  await once(child, 'exit');
  const [, second] = await attempts();
  await withWorkers(1, {}, async () => {
    const known = () => chain.client.request({ method: 'eth_getTransactionByHash', params: [second!.hash] });
    await eventually(async () => (await known()) !== null, LONG_MS);
    await chain.node.mine({ blocks: 1 });
    await expectSettledBy(id, payer, second!.hash);
  });
});

it('sends what the node dropped again as it is', async () => {
  await withWorkers(1, {}, async () => {
    const { id, payer } = await sendOne();
    const [{ hash }] = (await attempts()) as [Sent];
    await chain.node.dropTransaction({ hash });
    await eventually(async () => (await chain.node.getTxpoolStatus()).pending === 1, LONG_MS);
    await chain.node.mine({ blocks: 1 });
    await expectSettledBy(id, payer, hash);
  });
});

it('waits below the cap until gas is cheaper', async () => {
  const maxFeePerGas = parseGwei('10');
  await withWorkers(1, { maxFeePerGas }, async () => {
    const { id, payer } = await sendOne();
    await nextBaseFee(SPIKE);
    await chain.node.mine({ blocks: 1 });
    const late = await newPayer(chain, 10_000n);
    const unsent = await deliver(desk, chain, late, { mode: 'after' });
    const falling = setInterval(() => void chain.node.mine({ blocks: 1 }), 200);
    try {
      await eventually(() => allAre(desk, 'settled', [id, unsent.id]), LONG_MS);
    } finally {
      clearInterval(falling);
    }
    expect(await transfersFrom(chain, payer)).toBe(1);
    const { rows } = await desk.pool.query('select raw from settlement_transactions');
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });
});
