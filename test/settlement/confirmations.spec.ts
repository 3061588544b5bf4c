import { ChainUnavailable, type SettlementChain } from '../../src/base/chain/chain.js';
import { addressOf, type LocalChain, startLocalChain } from '../chain/support.js';
import { eventually } from '../support/eventually.js';
import { allAre, type Desk, deliver, newPayer, openDesk, startWorker, stateOf, transfersFrom } from './support.js';

const LONG_MS = 30_000;
/** Of a token with 6 decimals: 2,000 atomic units and more wait for three blocks. */
const confirmations = [
  { from: '0', blocks: 1 },
  { from: '0.002', blocks: 3 },
];

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

/** The chain as the worker has it: counts what is asked about single payments, and can be taken away. */
function watched() {
  const seen = { asked: 0, away: false };
  // What was asked before and is answered afterwards is lost, too.
  const lostWhenAway = (answer: unknown) => {
    if (!(answer instanceof Promise)) return answer;
    return answer.then((value) => {
      if (seen.away) throw new ChainUnavailable('away');
      return value;
    });
  };
  const wrap = (real: SettlementChain): SettlementChain =>
    new Proxy(real, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (seen.away) return Promise.reject(new ChainUnavailable('away'));
          if (name === 'authorizationOutcome') seen.asked++;
          return lostWhenAway(value.apply(target, args));
        };
      },
    });
  return { seen, wrap };
}

describe('a settlement that needs several blocks', () => {
  it('waits for them, for many payments at the price of one, and small ones do not wait', async () => {
    const payer = await newPayer(chain, 1_000_000n);
    const { seen, wrap } = watched();
    const worker = await startWorker(desk, chain, { confirmations, wrap });
    try {
      const sell = (amount: bigint) => deliver(desk, chain, payer, { mode: 'async', amount });
      const large = await Promise.all(Array.from({ length: 20 }, () => sell(2_000n)));
      const ids = large.map(({ id }) => id);
      await eventually(() => seen.asked >= 20);
      await eventually(async () => (await transfersFrom(chain, addressOf(payer))) === 20);
      await allAre(desk, 'submitted', ids);
      const before = await chain.client.getBlockNumber({ cacheTime: 0 });
      // The first of the two blocks that are missing is that of a small payment.
      const small = await sell(1_999n);
      await eventually(() => allAre(desk, 'settled', [small.id]));
      await allAre(desk, 'submitted', ids);
      await chain.node.mine({ blocks: 1 });
      await eventually(() => allAre(desk, 'settled', ids), LONG_MS);
      expect(await chain.client.getBlockNumber({ cacheTime: 0 })).toBe(before + 2n);
      // Twice each at most, and once for the small one.
      expect(seen.asked).toBeLessThanOrEqual(41);
      expect(await transfersFrom(chain, addressOf(payer))).toBe(21);
    } finally {
      await worker.stop();
    }
  });

  it('goes on waiting while the chain is away, and is settled soon after it is back', async () => {
    const payer = await newPayer(chain, 1_000_000n);
    const { seen, wrap } = watched();
    const worker = await startWorker(desk, chain, { confirmations, wrap });
    try {
      const { id } = await deliver(desk, chain, payer, { mode: 'after', amount: 5_000n });
      await eventually(() => seen.asked >= 1);
      seen.away = true;
      await chain.node.mine({ blocks: 2 });
      const attempts = await attemptsOf(desk);
      await expect(eventually(() => allAre(desk, 'settled', [id]), 3_000)).rejects.toThrow('not settled');
      seen.away = false;
      await eventually(() => allAre(desk, 'settled', [id]), LONG_MS);
      expect(await attemptsOf(desk)).toBe(attempts);
      expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
    } finally {
      await worker.stop();
    }
  });

  it('counts anew when the transfer moved to another block meanwhile', async () => {
    const payer = await newPayer(chain, 1_000_000n);
    const { seen, wrap } = watched();
    const worker = await startWorker(desk, chain, { confirmations, wrap });
    try {
      const { id } = await deliver(desk, chain, payer, { mode: 'async', amount: 5_000n });
      await eventually(() => seen.asked >= 1);
      await chain.node.request({ method: 'anvil_reorg' as never, params: [1, []] as never });
      const gone = await chain.client.getBlockNumber({ cacheTime: 0 });
      await eventually(async () => (await transfersFrom(chain, addressOf(payer))) === 1, LONG_MS);
      expect(await stateOf(desk, id)).toMatchObject({ status: 'submitted' });
      await eventually(async () => {
        await chain.node.mine({ blocks: 1 });
        return allAre(desk, 'settled', [id]);
      }, LONG_MS);
      const { settled } = (await stateOf(desk, id)) as { settled: { blockNumber: string } };
      expect(BigInt(settled.blockNumber)).toBeGreaterThan(gone);
      expect(await transfersFrom(chain, addressOf(payer))).toBe(1);
    } finally {
      await worker.stop();
    }
  });
});

/** Transactions that were signed. */
async function attemptsOf({ pool }: Desk): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from settlement_transactions');
  return rows[0]!.n;
}
