import type { Pool } from 'pg';
import type { NonceSlot, SignedTransaction } from '../../base/chain/chain.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { PaymentId } from '../payments/payment.js';
import type { RefundId } from '../payments/refund.js';

/**
 * - `submitted`: durable, and broadcast as often as needed; it may be mined at any moment.
 * - `mined`: in a block, whatever became of its items.
 * - `lost`: it can have no effect any more: its nonce went to another transaction, which may be another attempt of ours,
 *   or it failed as a whole, in a block.
 */
export type TransactionStatus = 'submitted' | 'mined' | 'lost';

export interface SettlementTransaction extends SignedTransaction {
  /** Of those in its slot, from 1; any of them may be mined, at most one of them is. */
  readonly attempt: number;
  readonly payments: readonly PaymentId[];
  /** That it sends from the refund wallet. */
  readonly refunds: readonly RefundId[];
  readonly status: TransactionStatus;
  readonly block: BlockRef | undefined;
}

export interface BlockRef {
  readonly number: bigint;
  readonly hash: Hex;
}

/** The signed transactions of all settlers on one chain. A row is the durable intent: no transaction is broadcast without one. */
export interface TransactionBook {
  /** Nonces without a mined transaction, by settler; settlers without any may be missing. */
  inFlight(): Promise<ReadonlyMap<Address, number>>;
  /** `max(nonce) + 1` of a settler, 0 if it never signed. */
  nextNonce(settler: Address): Promise<number>;
  /**
   * Stores an intent, unless its nonce is taken or one of its payments or refunds is in a transaction already that may still
   * pay for it (`false`: look again and sign anew). One statement, so the unique nonce decides between workers.
   */
  record(
    transaction: SignedTransaction,
    payments: readonly PaymentId[],
    refunds?: readonly RefundId[],
  ): Promise<boolean>;
  /**
   * Stores the next attempt in the slot of an unmined transaction, which may be mined all the same; `false` if that is not
   * the newest attempt any more, or not unmined. The unique number of the attempt decides between workers. Refunds stay in it.
   */
  replace(old: Hex, transaction: SignedTransaction, payments: readonly PaymentId[]): Promise<boolean>;
  /** Every transaction that names one of the payments, by nonce and attempt. */
  naming(payments: readonly PaymentId[]): Promise<readonly SettlementTransaction[]>;
  /** Of these refunds those that an unmined transaction sends. */
  onTheirWay(refunds: readonly RefundId[]): Promise<ReadonlySet<RefundId>>;
  /** All transactions that were signed for a slot, the oldest first. */
  attempts(slot: NonceSlot): Promise<readonly SettlementTransaction[]>;
  find(hash: Hex): Promise<SettlementTransaction | undefined>;
  /** The other attempts in its slot are lost. */
  markMined(hash: Hex, block: BlockRef): Promise<void>;
  /** `block`: where it failed as a whole; gas was paid there, and the other attempts in its slot are lost. */
  markLost(hash: Hex, block?: BlockRef): Promise<void>;
  /** Back to `submitted`, with the other attempts in its slot: the block that held it is gone. */
  markReverted(hash: Hex): Promise<void>;
  /** Transactions not mined, by nonce and attempt; of slots whose newest attempt is at least this old. */
  unmined(settler: Address, olderThanMs: number, limit: number): Promise<readonly SettlementTransaction[]>;
  /** Transactions in blocks that the chain may have dropped, failed ones too: of the last `depth` blocks, or from `nonce` on. */
  recentlyMined(
    settler: Address,
    nonce: number,
    depth: number,
    limit: number,
  ): Promise<readonly SettlementTransaction[]>;
}

interface Row {
  readonly hash: Hex;
  readonly settler: Address;
  readonly nonce: string;
  readonly attempt: number;
  readonly raw: Hex;
  readonly payments: PaymentId[];
  readonly refunds: RefundId[];
  readonly status: TransactionStatus;
  readonly block_number: string | null;
  readonly block_hash: Hex | null;
}

const columns = 'hash, settler, nonce, attempt, raw, payments, refunds, status, block_number, block_hash';

export class PostgresTransactionBook implements TransactionBook {
  constructor(
    private readonly pool: Pool,
    private readonly network: Network,
  ) {}

  async inFlight(): Promise<ReadonlyMap<Address, number>> {
    const { rows } = await this.pool.query<{ settler: Address; count: string }>(
      `select settler, count(distinct nonce) from settlement_transactions where status = 'submitted' and network = $1 group by settler`,
      [this.network],
    );
    return new Map(rows.map(({ count, settler }) => [settler, Number(count)]));
  }

  async nextNonce(settler: Address): Promise<number> {
    const { rows } = await this.pool.query<{ next: string }>(
      'select coalesce(max(nonce) + 1, 0) as next from settlement_transactions where network = $1 and settler = $2',
      [this.network, settler],
    );
    return Number(rows[0]!.next);
  }

  async record(
    transaction: SignedTransaction,
    payments: readonly PaymentId[],
    refunds: readonly RefundId[] = [],
  ): Promise<boolean> {
    const { hash, nonce, raw, settler } = transaction;
    const { rowCount } = await this.pool.query(
      `insert into settlement_transactions (hash, settler, nonce, raw, payments, refunds, status, created_at, network)
       select $1, $2, $3, $4, $5::text[], $7::text[], 'submitted', now(), $6
       where not exists (select 1 from settlement_transactions where status = 'submitted' and payments && $5::text[])
         and not exists (select 1 from settlement_transactions where status = 'submitted' and refunds && $7::text[])
       on conflict do nothing`,
      [hash, settler, nonce, raw, payments, this.network, refunds],
    );
    return rowCount === 1;
  }

  async replace(old: Hex, transaction: SignedTransaction, payments: readonly PaymentId[]): Promise<boolean> {
    const { hash, nonce, raw, settler } = transaction;
    const { rowCount } = await this.pool.query(
      `insert into settlement_transactions (hash, network, settler, nonce, attempt, raw, payments, refunds, status, created_at)
       select $2, network, settler, nonce, attempt + 1, $5, $6::text[], refunds, 'submitted', now() from settlement_transactions
       where hash = $1 and settler = $3 and nonce = $4 and status = 'submitted' for update
       on conflict do nothing`,
      [old, hash, settler, nonce, raw, payments],
    );
    return rowCount === 1;
  }

  naming(payments: readonly PaymentId[]): Promise<readonly SettlementTransaction[]> {
    return this.select('where payments && $1::text[] order by nonce, attempt', [payments]);
  }

  async onTheirWay(refunds: readonly RefundId[]): Promise<ReadonlySet<RefundId>> {
    const rows = await this.select(`where status = 'submitted' and refunds && $1::text[]`, [refunds]);
    return new Set(rows.flatMap((row) => row.refunds));
  }

  attempts({ nonce, settler }: NonceSlot): Promise<readonly SettlementTransaction[]> {
    const slot = [this.network, settler, nonce];
    return this.select('where network = $1 and settler = $2 and nonce = $3 order by attempt', slot);
  }

  async find(hash: Hex): Promise<SettlementTransaction | undefined> {
    return (await this.select('where hash = $1', [hash]))[0];
  }

  markMined(hash: Hex, block: BlockRef): Promise<void> {
    return this.decide(hash, 'mined', block);
  }

  async markLost(hash: Hex, block?: BlockRef): Promise<void> {
    if (block) return this.decide(hash, 'lost', block);
    await this.pool.query(`update settlement_transactions set status = 'lost' where hash = $1`, [hash]);
  }

  /** Writes what became of a slot; nothing if that is written already. */
  private async decide(hash: Hex, status: TransactionStatus, block: BlockRef): Promise<void> {
    await this.pool.query(
      `with decided as (
         update settlement_transactions set status = $2, block_number = $3, block_hash = $4
         where hash = $1 and (status, block_hash) is distinct from ($2, $4) returning network, settler, nonce)
       update settlement_transactions t set status = 'lost' from decided d
       where (t.network, t.settler, t.nonce) = (d.network, d.settler, d.nonce) and t.hash <> $1 and t.status = 'submitted'`,
      [hash, status, block.number.toString(), block.hash],
    );
  }

  async markReverted(hash: Hex): Promise<void> {
    await this.pool.query(
      `update settlement_transactions t set status = 'submitted', block_number = null, block_hash = null
       from settlement_transactions gone where gone.hash = $1
         and (t.network, t.settler, t.nonce) = (gone.network, gone.settler, gone.nonce)
         and (t.hash = $1 or t.block_hash is null)`,
      [hash],
    );
  }

  unmined(settler: Address, olderThanMs: number, limit: number): Promise<readonly SettlementTransaction[]> {
    return this.select(
      `where status = 'submitted' and network = $1 and settler = $2 and nonce in (
         select nonce from settlement_transactions where status = 'submitted' and network = $1 and settler = $2
         group by nonce having max(created_at) <= now() - $3 * interval '1 millisecond')
       order by nonce, attempt limit $4`,
      [this.network, settler, olderThanMs, limit],
    );
  }

  recentlyMined(settler: Address, nonce: number, depth: number, limit: number) {
    return this.select(
      `where block_hash is not null and network = $1 and settler = $2 and (nonce >= $3 or block_number >
         (select max(block_number) - $4 from settlement_transactions
          where block_hash is not null and network = $1 and settler = $2))
       order by nonce desc limit $5`,
      [this.network, settler, nonce, depth, limit],
    );
  }

  private async select(rest: string, values: unknown[]): Promise<readonly SettlementTransaction[]> {
    const { rows } = await this.pool.query<Row>(`select ${columns} from settlement_transactions ${rest}`, values);
    return rows.map(({ block_number: number, block_hash: hash, ...row }) => ({
      ...row,
      nonce: Number(row.nonce),
      block: number === null || hash === null ? undefined : { number: BigInt(number), hash },
    }));
  }
}
