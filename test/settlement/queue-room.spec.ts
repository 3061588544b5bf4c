import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUE_PREFIX, queueNameOf, SettlementQueue } from '../../src/domains/settlement/settlement.queue.js';
import { NETWORK } from '../chain/support.js';
import { type Desk, openDesk } from './support.js';

/** As many as one emptied wallet leaves behind for eleven dollars, at a tenth of a cent each. */
const DEAD = 10_500;

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

it('has room for new payments, not for old ones, however many wait for a wallet to be filled again', async () => {
  const connection = new Redis(desk.redisUrl, { maxRetriesPerRequest: null });
  const dead = new Queue(queueNameOf(NETWORK), { connection, prefix: QUEUE_PREFIX });
  const settlements = new SettlementQueue(desk.redisUrl, NETWORK, Date.now, { warn: () => undefined } as never);
  try {
    await settlements.living().catch(() => undefined);
    const jobs = Array.from({ length: DEAD }, (_, n) => ({
      name: 'settle',
      data: {},
      opts: { jobId: `dead-${n}`, delay: 600_000 },
    }));
    await dead.addBulk(jobs);
    expect(await settlements.living()).toBe(DEAD);
    expect(await settlements.hasRoom()).toBe(true);
    expect(await settlements.hasRoomForOld()).toBe(false);
    await dead.addBulk(jobs.map(({ name, data, opts }) => ({ name, data, opts: { jobId: `${opts.jobId}-ready` } })));
    expect(await settlements.hasRoom()).toBe(false);
  } finally {
    await settlements.close();
    await dead.close();
    connection.disconnect();
  }
});
