import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../../src/base/embedded/redis.js';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { allAre, type Desk, deliver, newPayer, openDesk, startWorker, transfersFrom } from './support.js';

const LONG_MS = 30_000;
let chain: LocalChain;
let desk: Desk;
let dataDir: string;

beforeAll(async () => {
  chain = await startLocalChain();
  desk = await openDesk();
  dataDir = await mkdtemp(join(tmpdir(), 'tollbook-redis-'));
});
afterAll(async () => {
  await desk.close();
  await chain.stop();
  await rm(dataDir, { recursive: true, force: true });
});

it('neither stops for good nor forgets anything when Redis goes away and comes back empty', async () => {
  const options = { dataDir, port: await freePort(), password: 'test', log: () => undefined };
  const payer = await newPayer(chain, 1_000_000n);
  const sell = async (count: number) => {
    const sold = Array.from({ length: count }, () => deliver(desk, chain, payer, { mode: 'async' }));
    return (await Promise.all(sold)).map(({ id }) => id);
  };
  let redis = await startRedis(options);
  const worker = await startWorker({ databaseUrl: desk.databaseUrl, redisUrl: redis.url }, chain);
  try {
    const before = await sell(3);
    await eventually(() => allAre(desk, 'settled', before), LONG_MS);
    await redis.stop();
    await rm(join(dataDir, 'redis'), { recursive: true });
    const during = await sell(20);
    redis = await startRedis(options);
    const after = await sell(3);
    await eventually(() => allAre(desk, 'settled', [...during, ...after]), LONG_MS);
    expect(await transfersFrom(chain, addressOf(payer))).toBe(26);
  } finally {
    await redis.stop();
    const stopping = performance.now();
    await worker.stop();
    // Even without Redis: a queue that is gone must not keep the process alive.
    expect(performance.now() - stopping).toBeLessThan(10_000);
  }
});
