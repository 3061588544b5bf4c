import type { Pool } from 'pg';
import type { TransactionOutcome } from '../../base/chain/chain.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { PaymentId } from '../payments/payment.js';
import { RevertSettlement, SETTLED_STATES, settlementOf } from '../payments/settle.decide.js';
import { LaneKeeper, type LaneKeeperDeps } from './lane-keeper.js';
import type { Execute, LoadPayment } from './settlement.ports.js';
import type { SettlementTransaction } from './settlement-transactions.js';

/** Deeper blocks count as final. */
const REORG_DEPTH = 64;
const LIMIT = 200;
/** Payments that are looked at together. */
const TOGETHER = 20;

export interface RecoveryDeps extends LaneKeeperDeps {
  readonly execute: Execute;
  readonly load: LoadPayment;
  /** Settled payments of late that no transaction of ours paid for. */
  readonly paidByOthers: () => Promise<readonly PaymentId[]>;
}

/**
 * Makes the chain and the book agree: takes back what a reorganization or a rolled back node undid, and has the lane keeper
 * bring every signed transaction into a block, so that no nonce stays open. Safe in any number of processes.
 */
export class SettlementRecovery {
  /** By settler: the newest mined transaction that was seen, and its block. */
  private readonly anchors = new Map<Address, string>();

  private readonly lanes: LaneKeeper;

  constructor(private readonly deps: RecoveryDeps) {
    this.lanes = new LaneKeeper(deps);
  }

  async step(): Promise<void> {
    const { book, chain } = this.deps;
    // A key that is not used any more may have left transactions behind.
    const left = (await book.inFlight()).keys();
    for (const settler of new Set([...chain.settlers, ...left])) {
      const nonce = await chain.minedNonce(settler);
      await this.verifyMined(settler, nonce);
      await this.lanes.tend(settler, nonce);
    }
  }

  /** A block holds all blocks before it: while the newest one stands and is the one seen last, all of them do. */
  private async verifyMined(settler: Address, nonce: number): Promise<void> {
    const rows = await this.deps.book.recentlyMined(settler, nonce, REORG_DEPTH, LIMIT);
    const newest = rows[0];
    const key = newest && `${newest.hash} ${newest.block?.hash}`;
    if (newest && key === this.anchors.get(settler) && stands(newest, await this.outcomeOf(newest))) return;
    let moved = !this.anchors.has(settler);
    const standing: [SettlementTransaction, TransactionOutcome][] = [];
    for (const row of rows) {
      const outcome = await this.outcomeOf(row);
      if (stands(row, outcome)) {
        standing.push([row, outcome]);
      } else {
        moved = true;
        await this.takeBack(row, outcome);
      }
    }
    if (moved) {
      // A process that died, or a node that was behind, may have left a fee that is not the block's.
      for (const [row, outcome] of standing) await this.deps.outcomes.record(row.hash, outcome);
      await this.verifyOthers();
    }
    this.anchors.set(settler, key ?? 'none');
  }

  private outcomeOf(row: SettlementTransaction): Promise<TransactionOutcome> {
    return this.deps.chain.transactionOutcome(row.hash);
  }

  /** The payments first, the fee next, the book last: if this is cut short, the next turn finds the same row again. */
  private async takeBack(row: SettlementTransaction, outcome: TransactionOutcome): Promise<void> {
    this.deps.log.warn({ transaction: row.hash, now: outcome.kind }, 'a mined settlement moved or is gone');
    for (const id of row.payments) await this.revert(id, row.hash);
    if (!(await this.deps.outcomes.record(row.hash, outcome))) await this.deps.book.markReverted(row.hash);
  }

  /** Takes back what strangers' transactions settled of late, if their block is gone. */
  async verifyOthers(): Promise<void> {
    const ids = await this.deps.paidByOthers();
    for (let at = 0; at < ids.length; at += TOGETHER) {
      await Promise.all(ids.slice(at, at + TOGETHER).map((id) => this.revert(id)));
    }
  }

  /** Takes a settlement back, if it is in the log and its block is not in the chain any more. */
  private async revert(id: PaymentId, by?: Hex): Promise<void> {
    const known = await this.deps.load(id);
    const settled = settlementOf(known.state);
    if (!settled) return;
    const { blockHash, transaction } = settled;
    if (by !== undefined && transaction !== by) return;
    const outcome = await this.deps.chain.transactionOutcome(transaction);
    if (outcome.kind === 'mined' && outcome.blockHash === blockHash) return;
    await this.deps.execute(new RevertSettlement(id, { transaction, blockHash }, known));
  }
}

function stands(row: SettlementTransaction, outcome: TransactionOutcome): boolean {
  return outcome.kind === 'mined' && outcome.blockHash === row.block?.hash;
}

/** Reads the read model: settled within ten minutes by a transaction that is not in the book. All of them: outside facilitators may settle everything. */
export function readPaidByOthers(pool: Pool, network: Network): RecoveryDeps['paidByOthers'] {
  return async () => {
    const { rows } = await pool.query<{ id: PaymentId }>(
      `select id from payments p where state = any($2::text[]) and network = $1 and updated_at > now() - interval '10 minutes'
         and not exists (select 1 from settlement_transactions t where t.hash = p.transaction)`,
      [network, SETTLED_STATES],
    );
    return rows.map(({ id }) => id);
  };
}
