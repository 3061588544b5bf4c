import type { Pool } from 'pg';
import type { TransactionOutcome } from '../../src/base/chain/chain.js';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { applyMigrations, readMigrations } from '../../src/base/platform/migrate.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Hex } from '../../src/base/shared/hex.js';
import { EarlierGas } from '../../src/domains/settlement/earlier-gas.js';
import { itemReader, NetworkFees } from '../../src/domains/settlement/network-fees.js';
import { OutcomeRecorder } from '../../src/domains/settlement/outcome-recorder.js';
import { PostgresTransactionBook } from '../../src/domains/settlement/settlement-transactions.js';
import { NETWORK } from '../chain/support.js';
import { withDatabase } from '../support/database-urls.js';
import { engines } from '../support/engines.js';

const MIGRATION = '0008_earlier_gas';
const FEE = 77n;
/** More than one page. */
const MINED = 130;

let pool: Pool;
let outcomes: Map<Hex, TransactionOutcome>;

const hashOf = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;

function minedIn(block: number, succeeded = true): TransactionOutcome {
  const blockHash: Hex = `0xb${block}`;
  return { kind: 'mined', blockNumber: BigInt(block), blockHash, succeeded, gasUsed: 7n, fee: FEE };
}

/** A book as the version before left it: transactions with an outcome, and no gas in the log. */
async function upgradedBook(): Promise<void> {
  const { databaseUrl } = await engines();
  const name = `earlier_gas_${process.pid}`;
  const admin = openPool(databaseUrl, 'test', 1, console);
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = withDatabase(databaseUrl, name);
  const migrations = await readMigrations();
  const before = migrations.filter((migration) => migration.name < MIGRATION);
  await applyMigrations(url, before);
  pool = openPool(url, 'test', 4, console);
  await pool.query(
    `insert into settlement_transactions (hash, settler, nonce, raw, payments, status, created_at, block_number, block_hash)
     select '0x' || lpad(to_hex(n), 64, '0'), '0xa', n, '0x', array['pay_' || n], 'mined', now(), n, '0xb' || n
     from generate_series(1, $1::int) as n`,
    [MINED],
  );
  await pool.query(
    `insert into settlement_transactions (hash, settler, nonce, raw, payments, status, created_at)
     values ($1, '0xa', 1001, '0x', '{}', 'lost', now()), ($2, '0xa', 1002, '0x', '{}', 'lost', now()),
       ($3, '0xa', 1003, '0x', '{}', 'submitted', now())`,
    [hashOf(1001), hashOf(1002), hashOf(1003)],
  );
  await applyMigrations(url, migrations);
}

function newEarlierGas(): EarlierGas {
  const book = new PostgresTransactionBook(pool, NETWORK);
  const store = new EventStore(pool, systemClock);
  const fees = new NetworkFees({ store, network: NETWORK, items: itemReader(pool) });
  const chain = {
    network: NETWORK,
    transactionOutcome: async (hash: Hex) => outcomes.get(hash) ?? ({ kind: 'unknown' } as const),
  };
  return new EarlierGas(pool, chain, new OutcomeRecorder(chain, book, fees));
}

async function bookAll(): Promise<void> {
  const gas = newEarlierGas();
  while (await gas.step());
}

async function booked(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ hash: string; share: string }>(
    "select split_part(stream, '/', 3) as hash, data->>'share' as share from events where type = 'NetworkFeePaid' order by 1",
  );
  return rows.map(({ hash, share }) => `${hash} ${share}`);
}

async function left(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ hash: string }>('select hash from unbooked_gas order by hash');
  return rows.map(({ hash }) => hash);
}

beforeAll(upgradedBook);
afterAll(() => pool?.end());

describe('gas that was spent before gas was booked', () => {
  it('is all of it still to be booked after the migration', async () => {
    expect(await left()).toHaveLength(MINED + 3);
  });

  it('stays to be booked while the node does not know the transactions', async () => {
    outcomes = new Map();
    await bookAll();
    expect(await booked()).toEqual([]);
    // Those that were given up took no gas, as far as anybody knows.
    expect(await left()).toHaveLength(MINED + 1);
  });

  it('is booked once, by however many workers, and then asked for no more', async () => {
    await pool.query('insert into unbooked_gas values ($1), ($2)', [hashOf(1001), hashOf(1002)]);
    outcomes = new Map(Array.from({ length: MINED }, (_, n) => [hashOf(n + 1), minedIn(n + 1)]));
    outcomes.set(hashOf(1001), minedIn(1001, false));
    await Promise.all([bookAll(), bookAll()]);
    const spent = [...Array.from({ length: MINED }, (_, n) => n + 1), 1001];
    expect(await booked()).toEqual(spent.map((n) => `${hashOf(n)} ${FEE}`));
    expect(await left()).toEqual([hashOf(1003)]);
  });
});
