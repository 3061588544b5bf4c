import { jest } from '@jest/globals';
import { openBatchPool } from '../../src/base/platform/pool.js';
import { addressOf } from '../chain/support.js';
import { log } from '../settlement/support.js';
import { eventually } from '../support/eventually.js';
import { caughtUp } from '../support/projections.js';
import { checksOf, run } from './checks.js';
import { allAre, newPayer, openStand, type Sold, type Stand, sell } from './stand.js';
import { transfer } from './traffic.js';

const ROUNDS = 3;
const GRACE_MS = 10_000;

/** A busy machine takes its time over everything that is sold meanwhile; usually a quarter of this is enough. */
jest.setTimeout(180_000);

let stand: Stand;

beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.stop());

/** Sells without a pause until told to stop; resolves to everything sold. */
function sellOn(payers: Awaited<ReturnType<typeof newPayer>>[]): { stop(): Promise<Sold[]> } {
  let stopped = false;
  const sold: Sold[] = [];
  const selling = payers.map(async (payer, n) => {
    for (let round = n; !stopped; round++) {
      const delivery = round % 5 === 0 ? 'interrupted' : 'delivered';
      sold.push(
        await sell(stand, payer, { mode: round % 4 ? 'async' : 'after', amount: BigInt(10 + round), delivery }),
      );
    }
  });
  const stop = async () => {
    stopped = true;
    await Promise.all(selling);
    return sold;
  };
  return { stop };
}

describe('while payments are made and settled', () => {
  it('no check finds what is not there, and what is said to be in flight lands', async () => {
    const payers = await Promise.all(Array.from({ length: 4 }, () => newPayer(stand, 10_000_000n)));
    const seller = sellOn(payers);
    const pool = openBatchPool(stand.databaseUrl, 'test-verify', 4, log);
    let sold: Sold[] = [];
    try {
      await eventually(async () => {
        const { rows } = await stand.pool.query<{ n: number }>(
          `select count(*)::int as n from events where type = 'PaymentSettled'`,
        );
        return rows[0]!.n > 20;
      }, 30_000);
      // The first seal is in its table a moment before it is in the file that witnesses it.
      const [seals] = checksOf(stand, ['seals']);
      await eventually(async () => {
        const { counts, gaps } = await run(seals!, pool, GRACE_MS);
        return counts.seals! > 0 && gaps.length === 0;
      }, 30_000);
      for (let round = 0; round < ROUNDS; round++) {
        for (const check of checksOf(stand)) {
          const { differences, gaps, notes } = await run(check, pool, GRACE_MS);
          expect({ check: check.name, differences, gaps, notes }).toEqual({
            ...{ check: check.name, differences: [], gaps: [], notes: [] },
          });
        }
      }
      sold = await seller.stop();
      await eventually(() => allAre(stand, 'settled', sold), 60_000);
      await eventually(async () => {
        const [chain] = checksOf(stand, ['chain']);
        const { counts } = await run(chain!, pool, GRACE_MS);
        return counts['transfers matched'] === sold.length && (counts['in flight'] ?? 0) === 0;
      }, 60_000);
    } finally {
      await seller.stop();
      await pool.end();
    }
  });

  it('a settlement that is in a block and not in the log yet is in flight, not unbooked', async () => {
    const payer = await newPayer(stand, 1_000n);
    const sold = await sell(stand, payer, { mode: 'async', amount: 5n });
    await eventually(() => allAre(stand, 'settled', [sold]));
    await caughtUp(stand.pool, ['ledger']);
    await stand.rest();
    const databaseUrl = stand.databaseUrl;
    const pool = openBatchPool(databaseUrl, 'test-verify', 4, log);
    try {
      const client = await pool.connect();
      await client.query('set session_replication_role = replica');
      await client.query(`delete from events where stream = 'payment/${sold.id}' and type = 'PaymentSettled'`);
      await client.query(`update ledger_accounts set debits_posted = debits_posted - 5 where kind = 'wallet'`);
      client.release(true);
      // Nothing, sent by a stranger, is no receipt.
      await transfer(stand, addressOf(stand.payee), 0n, await newPayer(stand, 0n));
      const result = await run(checksOf(stand, ['chain'])[0]!, pool, 0);
      expect(result).toMatchObject({ differences: [], notes: [], counts: { 'in flight': 1 } });
    } finally {
      await pool.end();
    }
  });
});
