import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { SettlementMode } from '../../src/domains/payments/payment.js';
import { SettlementPending } from '../../src/domains/settlement/settlement.ports.js';
import { SettlementProcessor } from '../../src/domains/settlement/settlement.processor.js';
import {
  QUEUE_PREFIX,
  queueNameOf,
  type SettlementJob,
  SettlementQueue,
} from '../../src/domains/settlement/settlement.queue.js';
import { NETWORK } from '../chain/support.js';
import { freshRedis } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { log } from './support.js';

let redisUrl: string;
let connection: Redis;
let settlements: SettlementQueue;
let now: number;

beforeEach(async () => {
  redisUrl = await freshRedis();
  connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  now = Date.parse('2026-11-25T12:00:00Z');
  settlements = new SettlementQueue(redisUrl, NETWORK, () => now, log);
  await eventually(() => settlements.hasRoom());
});
afterEach(async () => {
  await settlements.close();
  connection.disconnect();
});

function add(name: string, mode: SettlementMode, urgency: number): Promise<void> {
  return settlements.add([{ id: `pay_${name}`, network: NETWORK, mode, urgency }], false);
}

/** What one worker takes, one at a time, while `meanwhile` adds more; until it has taken `count`. */
async function taken(count: number, meanwhile: (turn: number) => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  const worker = new Worker<SettlementJob>(
    queueNameOf(NETWORK),
    async ({ id }) => {
      if (ids.length === count) return;
      ids.push(id!);
      await meanwhile(ids.length);
    },
    { connection, prefix: QUEUE_PREFIX, concurrency: 1 },
  );
  await eventually(() => ids.length === count).finally(() => worker.close(true));
  return ids;
}

it('takes those for whose answer somebody waits first, then the urgent, in order of arrival', async () => {
  await add('slow', 'async', 7);
  await add('quick', 'async', 0);
  await add('waiting', 'after', 7);
  await add('quick2', 'async', 0);
  await add('urgent', 'after', 0);
  const order = ['pay_urgent', 'pay_waiting', 'pay_quick', 'pay_quick2', 'pay_slow'];
  expect(await taken(5, async () => undefined)).toEqual(order);
});

it('takes an old payment of low urgency before a stream of fresh urgent ones', async () => {
  await add('patient', 'async', 7);
  await add('first', 'after', 0);
  const ids = await taken(40, (turn) => {
    now += 1_000;
    return add(`fresh${turn}`, 'after', 0);
  });
  const turn = ids.indexOf('pay_patient');
  expect(turn).toBeGreaterThan(1);
  expect(turn).toBeLessThan(30);
});

it('puts an attempt that failed behind those that came meanwhile', async () => {
  await add('broke', 'async', 3);
  const queue = new Queue<SettlementJob>(queueNameOf(NETWORK), { connection, prefix: QUEUE_PREFIX });
  const engine = { settle: () => Promise.reject(new SettlementPending('no money')), stop: async () => undefined };
  const processor = new SettlementProcessor(redisUrl, NETWORK, engine, () => now, log);
  try {
    const before = (await queue.getJob('pay_broke'))!.priority;
    now += 60_000;
    processor.start();
    await eventually(async () => (await queue.getJob('pay_broke'))!.priority === before + 60);
  } finally {
    await processor.stop();
    await queue.close();
  }
});
