import { Redis } from 'ioredis';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import {
  allAre,
  type Desk,
  deliver,
  gasBooked,
  heldBy,
  newPayer,
  openDesk,
  startWorker,
  stateOf,
  transfersFrom,
} from './support.js';

let chain: LocalChain;
let desk: Desk;

beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

describe('settlement', () => {
  it('settles a delivered payment and gives the exposure back', async () => {
    const payer = await newPayer(chain, 10_000n);
    const worker = await startWorker(desk, chain);
    try {
      const { id } = await deliver(desk, chain, payer, { mode: 'async' });
      await eventually(() => allAre(desk, 'settled', [id]));
      expect(await stateOf(desk, id)).toMatchObject({ settled: { by: 'settler' } });
      expect(await heldBy(desk, addressOf(payer))).toBe('0');
      expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
    } finally {
      await worker.stop();
    }
  });

  it('settles 200 payments exactly once with two workers', async () => {
    const payers = await Promise.all([newPayer(chain, 1_000_000n), newPayer(chain, 1_000_000n)]);
    const gas = await chain.client.getBalance({ address: chain.settler });
    const workers = await Promise.all([startWorker(desk, chain), startWorker(desk, chain)]);
    try {
      const sold = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          deliver(desk, chain, payers[n % 2]!, { mode: n % 3 ? 'async' : 'after' }),
        ),
      );
      const ids = sold.map(({ id }) => id);
      await eventually(() => allAre(desk, 'settled', ids), 30_000);
      for (const payer of payers) expect(await transfersFrom(chain, addressOf(payer))).toBe(100);
      const { rows } = await desk.pool.query('select count(*)::int as n from settlement_transactions');
      expect(rows[0].n).toBeLessThan(100);
      const spent = async () => gas - (await chain.client.getBalance({ address: chain.settler }));
      await eventually(async () => (await spent()) === (await gasBooked(desk)));
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });

  it('forgets nothing when Redis loses everything', async () => {
    const payer = await newPayer(chain, 1_000_000n);
    const sold = await Promise.all(Array.from({ length: 20 }, () => deliver(desk, chain, payer, { mode: 'async' })));
    const ids = sold.map(({ id }) => id);
    const redis = new Redis(desk.redisUrl);
    await chain.node.setAutomine(false);
    let worker = await startWorker(desk, chain);
    try {
      await eventually(() => allAre(desk, 'submitted', ids), 20_000);
      await redis.flushdb();
      await worker.stop();
      await redis.flushdb();
      await chain.node.setAutomine(true);
      worker = await startWorker(desk, chain);
      await eventually(() => allAre(desk, 'settled', ids), 30_000);
      expect(await transfersFrom(chain, addressOf(payer))).toBe(20);
    } finally {
      await chain.node.setAutomine(true);
      await worker.stop();
      redis.disconnect();
    }
  });
});
