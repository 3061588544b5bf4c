import type { Pool } from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import type { Address, Hex, Network } from '../../src/base/shared/hex.js';
import { type PaymentId, paymentStream } from '../../src/domains/payments/payment.js';
import { refundIdOf } from '../../src/domains/payments/refund.js';
import { itemReader, NetworkFees } from '../../src/domains/settlement/network-fees.js';
import { PostgresTransactionBook } from '../../src/domains/settlement/settlement-transactions.js';
import {
  feesOf,
  findSettlement,
  listSettlements,
  type SettlementFilter,
  type SettlementRow,
  settlementKey,
} from '../../src/domains/settlement/settlements.queries.js';
import { freshDatabase } from '../support/engines.js';
import { log } from './support.js';

const NETWORK: Network = 'eip155:84532';
const [FIRST, SECOND]: readonly Address[] = [`0x${'5e'.repeat(20)}`, `0x${'77'.repeat(20)}`] as [Address, Address];
const BLOCK = { number: 7n, hash: `0x${'b0'.repeat(32)}` as Hex };

let pool: Pool;
let store: EventStore;
let book: PostgresTransactionBook;

beforeAll(async () => {
  pool = openPool(await freshDatabase(), 'test-settlements', 4, log);
  store = new EventStore(pool, systemClock);
  book = new PostgresTransactionBook(pool, NETWORK);
  await authorize('odd', 'pay_1', 'pay_3');
  await authorize('even', 'pay_2');
  // The third attempt of the first nonce is mined; the second nonce waits; the third failed as a whole; another took the fourth.
  await sign(FIRST, 0, 'a1', 'pay_1', 'pay_2', 'pay_3');
  await again(hashOf('a1'), FIRST, 0, 'a2', 'pay_1', 'pay_2', 'pay_3');
  await again(hashOf('a2'), FIRST, 0, 'a3', 'pay_1', 'pay_2', 'pay_3');
  await book.markMined(hashOf('a3'), BLOCK);
  await sign(FIRST, 1, 'b1', 'pay_4');
  await sign(SECOND, 0, 'c1', 'pay_5');
  await book.markLost(hashOf('c1'), BLOCK);
  await sign(SECOND, 1, 'd1', 'pay_5');
  await book.markLost(hashOf('d1'));
  await sendRefund(SECOND, 2, 'e1', 'pay_1');
  await book.markMined(hashOf('e1'), BLOCK);
});

afterAll(() => pool.end());

function hashOf(name: string): Hex {
  return `0x${name.repeat(32)}`;
}

async function authorize(tenant: string, ...ids: PaymentId[]): Promise<void> {
  for (const id of ids) {
    const events = [{ type: 'PaymentAuthorized', schema: 4, data: {} }];
    await store.append({ stream: paymentStream(id), tenant, expectedVersion: 0, decide: () => ({ events }) });
  }
}

async function sign(settler: Address, nonce: number, name: string, ...payments: PaymentId[]): Promise<void> {
  expect(await book.record({ hash: hashOf(name), settler, nonce, raw: '0x02' }, payments)).toBe(true);
}

/** In a transaction that settles nothing. */
async function sendRefund(settler: Address, nonce: number, name: string, payment: PaymentId): Promise<void> {
  const refund = refundIdOf(payment, 'once');
  await pool.query(
    `insert into refunds (id, payment_id, tenant, amount, source, state, position, updated_at)
     values ($1, $2, 'odd', 1, 'refund_wallet', 'sent', 1, now())`,
    [refund, payment],
  );
  expect(await book.record({ hash: hashOf(name), settler, nonce, raw: '0x02' }, [], [refund])).toBe(true);
}

async function again(old: Hex, settler: Address, nonce: number, name: string, ...payments: PaymentId[]): Promise<void> {
  expect(await book.replace(old, { hash: hashOf(name), settler, nonce, raw: '0x02' }, payments)).toBe(true);
}

async function firsts(filter: SettlementFilter): Promise<string[]> {
  return (await listSettlements(pool, filter, undefined, 50)).map(nameOf).sort();
}

function nameOf({ attempts }: SettlementRow): string {
  return attempts[0]!.hash.slice(2, 4);
}

describe('the list of settlements', () => {
  it('has one item for each nonce, with its attempts in order', async () => {
    const rows = await listSettlements(pool, {}, undefined, 50);
    expect(rows.map(nameOf).sort()).toEqual(['a1', 'b1', 'c1', 'd1', 'e1']);
    const replaced = rows.find((row) => nameOf(row) === 'a1')!;
    expect(replaced).toMatchObject({ network: NETWORK, settler: FIRST, nonce: 0 });
    expect(replaced.attempts).toMatchObject([
      { attempt: 1, hash: hashOf('a1'), status: 'lost', blockNumber: null },
      { attempt: 2, hash: hashOf('a2'), status: 'lost', blockHash: null },
      {
        attempt: 3,
        hash: hashOf('a3'),
        status: 'mined',
        payments: ['pay_1', 'pay_2', 'pay_3'],
        blockNumber: '7',
        blockHash: BLOCK.hash,
      },
    ]);
  });

  it('gives every item once, page by page', async () => {
    const whole = await listSettlements(pool, {}, undefined, 50);
    const found: SettlementRow[] = [];
    for (let after: SettlementRow | undefined; ; after = found.at(-1)) {
      const rows = await listSettlements(pool, {}, after && settlementKey(after), 1);
      found.push(rows[0]!);
      if (rows.length === 1) break;
    }
    expect(found).toEqual(whole);
  });

  it.each([
    [{ status: 'mined' }, ['a1', 'e1']],
    [{ status: 'submitted' }, ['b1']],
    [{ status: 'failed' }, ['c1']],
    [{ status: 'lost' }, ['d1']],
    [{ settler: SECOND }, ['c1', 'd1', 'e1']],
    [{ settler: SECOND, status: 'submitted' }, []],
    [{ payment: 'pay_1' }, ['a1', 'e1']],
    [{ payment: 'pay_5' }, ['c1', 'd1']],
    [{ payment: 'pay_2', status: 'mined' }, ['a1']],
    [{ payment: 'pay_6' }, []],
    [{ network: NETWORK }, ['a1', 'b1', 'c1', 'd1', 'e1']],
    [{ network: 'eip155:1' }, []],
    [{ since: new Date('2001-01-01') }, ['a1', 'b1', 'c1', 'd1', 'e1']],
    [{ since: new Date('2999-01-01') }, []],
  ] satisfies [SettlementFilter, string[]][])('of %j are %j', async (filter, names) => {
    expect(await firsts(filter)).toEqual(names);
  });

  it('finds one by the hash of any attempt', async () => {
    const [by1, by2, by3] = await Promise.all(['a1', 'a2', 'a3'].map((name) => findSettlement(pool, hashOf(name))));
    expect(by1).toBeDefined();
    expect([by2, by3]).toEqual([by1, by1]);
    expect(await findSettlement(pool, hashOf('ee'))).toBeUndefined();
  });

  it('knows the gas of what is in a block, and the part of each tenant', async () => {
    const items = itemReader(pool);
    const fees = new NetworkFees({ store, network: NETWORK, items });
    const mined = (await book.find(hashOf('a3')))!;
    const rows = await listSettlements(pool, {}, undefined, 50);
    expect((await feesOf(pool, store, rows)).size).toBe(0);
    const cost = { blockNumber: BLOCK.number, blockHash: BLOCK.hash, gasUsed: 150n, fee: 301n };
    await fees.pay(mined, cost as unknown as Parameters<NetworkFees['pay']>[1]);
    const shares = (await feesOf(pool, store, rows)).get(hashOf('a3'))!;
    expect(shares.toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1))).toMatchObject([
      { tenant: 'even', payments: 1, refunds: 0, items: 1, of: 3, gasUsed: '150', fee: '301', share: '100' },
      { tenant: 'odd', payments: 2, refunds: 0, items: 2, of: 3, gasUsed: '150', fee: '301', share: '201' },
    ]);
    const refund = (await book.find(hashOf('e1')))!;
    await fees.pay(refund, cost as unknown as Parameters<NetworkFees['pay']>[1]);
    expect((await feesOf(pool, store, rows)).get(hashOf('e1'))).toMatchObject([
      { tenant: 'odd', payments: 0, refunds: 1, share: '301' },
    ]);
    await fees.reverse(mined);
    await fees.reverse(refund);
    expect((await feesOf(pool, store, rows)).size).toBe(0);
  });
});
