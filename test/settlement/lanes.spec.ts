import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address } from '../../src/base/shared/hex.js';
import type { PaymentId } from '../../src/domains/payments/payment.js';
import { QUEUE_PREFIX, queueNameOf } from '../../src/domains/settlement/settlement.queue.js';
import { addressOf, type LocalChain, NETWORK, randomKey, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
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
} from './support.js';

const LONG_MS = 30_000;
const settlerKeys = [randomKey(), randomKey()];
const settlers = settlerKeys.map((key) => addressOf(privateKeyToAccount(key)));
const FUNDS = 10n ** 20n;

let chain: LocalChain;
let desk: Desk;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
  await Promise.all(settlers.map((address) => chain.node.setBalance({ address, value: FUNDS })));
});
afterEach(() => desk.close());

/** Unmined transactions by settler. */
async function onTheirWay(): Promise<Readonly<Record<Address, number>>> {
  const { rows } = await desk.pool.query<{ settler: Address; count: number }>(
    `select settler, count(*)::int from settlement_transactions where status = 'submitted' group by settler`,
  );
  return Object.fromEntries(rows.map(({ count, settler }) => [settler, count]));
}

it('spreads transactions over the lanes of several settlers, and books the gas of each', async () => {
  const payer = await newPayer(chain, 1_000_000n);
  const ids: PaymentId[] = [];
  await chain.node.setAutomine(false);
  const workers = await Promise.all([0, 1].map(() => startWorker(desk, chain, { settlerKeys })));
  try {
    for (let count = 1; count <= 6; count++) {
      const { id } = await deliver(desk, chain, payer, { mode: 'after' });
      await eventually(() => allAre(desk, 'submitted', [id]), LONG_MS);
      ids.push(id);
    }
    expect(await onTheirWay()).toEqual({ [settlers[0]!]: 3, [settlers[1]!]: 3 });
    await chain.node.setAutomine(true);
    await chain.node.mine({ blocks: 1 });
    await eventually(() => allAre(desk, 'settled', ids), LONG_MS);
    expect(await transfersFrom(chain, addressOf(payer))).toBe(6);
    const left = await Promise.all(settlers.map((address) => chain.client.getBalance({ address })));
    const spent = 2n * FUNDS - left.reduce((sum, wei) => sum + wei);
    await eventually(async () => (await gasBooked(desk)) === spent);
  } finally {
    await chain.node.setAutomine(true);
    await Promise.all(workers.map((worker) => worker.stop()));
  }
});

it('finishes what a settler left behind whose key is not used any more', async () => {
  const payer = await newPayer(chain, 10_000n);
  await chain.node.setAutomine(false);
  let worker = await startWorker(desk, chain, { settlerKeys: settlerKeys.slice(0, 1) });
  try {
    const { id } = await deliver(desk, chain, payer, { mode: 'async' });
    await eventually(() => allAre(desk, 'submitted', [id]), LONG_MS);
    await worker.stop();
    const [pending] = (await desk.pool.query('select hash from settlement_transactions')).rows;
    await chain.node.dropTransaction({ hash: pending.hash });
    await chain.node.setAutomine(true);
    worker = await startWorker(desk, chain, { settlerKeys: settlerKeys.slice(1) });
    await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
    expect((await chain.client.getTransactionReceipt({ hash: pending.hash })).from).toBe(settlers[0]);
  } finally {
    await chain.node.setAutomine(true);
    await worker.stop();
  }
});

it('gives nothing to a settler that is low on gas, and settles what waited when one is filled up', async () => {
  const [poor, rich] = settlers as [Address, Address];
  const payer = await newPayer(chain, 10_000n);
  await chain.node.setBalance({ address: poor, value: 10n ** 14n });
  const worker = await startWorker(desk, chain, { settlerKeys });
  try {
    const first = await deliver(desk, chain, payer, { mode: 'async' });
    await eventually(() => allAre(desk, 'settled', [first.id]), LONG_MS);
    expect(await sentBy(first.id)).toBe(rich);
  } finally {
    await worker.stop();
  }
  await chain.node.setBalance({ address: rich, value: 10n ** 14n });
  const second = await startWorker(desk, chain, { settlerKeys });
  try {
    const waiting = await deliver(desk, chain, payer, { mode: 'after' });
    const tried = async () => (await jobAttempts(waiting.id)) >= 2;
    await eventually(tried, LONG_MS);
    expect(await stateOf(desk, waiting.id)).toMatchObject({ status: 'delivered' });
    await chain.node.setBalance({ address: poor, value: FUNDS });
    await eventually(() => allAre(desk, 'settled', [waiting.id]), LONG_MS);
    expect(await sentBy(waiting.id)).toBe(poor);
  } finally {
    await second.stop();
  }
});

async function sentBy(id: PaymentId): Promise<Address> {
  const sql = 'select settler from settlement_transactions where payments @> array[$1]';
  return (await desk.pool.query<{ settler: Address }>(sql, [id])).rows[0]!.settler;
}

/** Attempts that failed so far. */
async function jobAttempts(id: PaymentId): Promise<number> {
  const connection = new Redis(desk.redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(queueNameOf(NETWORK), { connection, prefix: QUEUE_PREFIX });
  try {
    return (await queue.getJob(id))?.attemptsMade ?? 0;
  } finally {
    await queue.close();
    connection.disconnect();
  }
}
