import type { Pool } from 'pg';
import { openPool } from '../../src/base/platform/pool.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { settlementsLostUntil } from '../../src/domains/settlement/lost-settlements.js';
import { PostgresTransactionBook } from '../../src/domains/settlement/settlement-transactions.js';
import { NETWORK } from '../chain/support.js';
import { freshDatabase } from '../support/engines.js';

const NOW = 1_800_000_000_000;

let pool: Pool;
let settlers = 0;

beforeAll(async () => {
  pool = openPool(await freshDatabase(), 'test', 2, console);
});
afterAll(() => pool.end());

/** A settler whose book has these nonces; the chain has mined the first `mined`. */
async function lostUntil(nonces: readonly number[], mined: number): Promise<number | undefined> {
  const settler: Address = `0x${String(++settlers).padStart(40, '0')}`;
  const book = new PostgresTransactionBook(pool, NETWORK);
  for (const nonce of nonces) {
    const hash: Hex = `0x${settlers}f${nonce}`;
    await book.record({ hash, raw: '0x', settler, nonce }, [`pay_${hash}`]);
  }
  return settlementsLostUntil(pool, { network: NETWORK, settlers: [settler], minedNonce: async () => mined }, NOW);
}

describe('settlements that the book lost', () => {
  it.each([
    ['nothing was sent', [], 0],
    ['all are there', [0, 1, 2], 3],
    ['some are not mined yet', [0, 1, 2], 1],
  ])('are none when %s', async (_, nonces, mined) => {
    expect(await lostUntil(nonces, mined)).toBeUndefined();
  });

  it.each([
    ['some', [0, 1], 3],
    ['all', [], 1],
  ])('were sent until now when the chain is ahead: %s', async (_, nonces, mined) => {
    expect(await lostUntil(nonces, mined)).toBe(NOW);
  });

  it.each([
    ['in the middle', [0, 1, 5, 6], 7],
    ['at the beginning', [3], 4],
  ])('were sent until the book went on: %s', async (_, nonces, mined) => {
    const { rows } = await pool.query<{ before: Date }>('select date_trunc($1, now()) as before', ['milliseconds']);
    const until = await lostUntil(nonces, mined);
    const [{ after }] = (await pool.query<{ after: Date }>('select now() as after')).rows as [{ after: Date }];
    expect(until).toBeGreaterThanOrEqual(rows[0]!.before.getTime());
    expect(until).toBeLessThanOrEqual(after.getTime() + 1);
  });
});
