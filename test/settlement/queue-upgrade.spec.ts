import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUE_PREFIX } from '../../src/domains/settlement/settlement.queue.js';
import { type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { allAre, type Desk, deliver, newPayer, openDesk, startWorker } from './support.js';

let desk: Desk;
let chain: LocalChain;

beforeAll(async () => {
  [desk, chain] = await Promise.all([openDesk(), startLocalChain()]);
});
afterAll(async () => {
  await desk.close();
  await chain.stop();
});

it('settles what an earlier version had queued for all chains together, and leaves nothing of its queue', async () => {
  const payer = await newPayer(chain, 10_000n);
  const { id } = await deliver(desk, chain, payer, { mode: 'async' });
  // The feed of that version had read the delivery, so only its job says that something is to be done.
  await desk.pool.query(
    `insert into projection_checkpoints (name, version, position) values ('settlement-feed', 1, (select max(position) from events))`,
  );
  const connection = new Redis(desk.redisUrl, { maxRetriesPerRequest: null });
  const earlier = new Queue('settlement', { connection, prefix: QUEUE_PREFIX });
  await earlier.add('settle', { again: false }, { jobId: id });
  await earlier.close();
  const worker = await startWorker(desk, chain);
  try {
    await eventually(() => allAre(desk, 'settled', [id]), 20_000);
    await eventually(async () => (await connection.keys(`${QUEUE_PREFIX}:settlement:*`)).length === 0);
  } finally {
    await worker.stop();
    connection.disconnect();
  }
});
