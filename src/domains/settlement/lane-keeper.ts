import { FeeCapReached, type SettlementChain, type SignedTransaction } from '../../base/chain/chain.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Address, Hex } from '../../base/shared/hex.js';
import type { OutcomeRecorder } from './outcome-recorder.js';
import { SettlementPending } from './settlement.ports.js';
import type { SettlementSender } from './settlement.sender.js';
import type { SettlementTransaction, TransactionBook } from './settlement-transactions.js';

/** Younger transactions are still with the worker that signed them, in milliseconds. */
const STRANDED_MS = 3_000;
const LIMIT = 200;
/** The first transaction of a lane is replaced when that many blocks have left it out, though its fee would do. */
const STUCK_BLOCKS = 10n;

export interface LaneKeeperDeps {
  readonly chain: SettlementChain;
  readonly book: TransactionBook;
  readonly sender: Pick<SettlementSender, 'publish'>;
  readonly outcomes: OutcomeRecorder;
  readonly log: Logger;
}

/**
 * Gets the unmined transactions of a lane into blocks: broadcasts again what the node never had or has dropped, and puts
 * a dearer one in the place of what is stuck. Every attempt at a nonce stays in the book, since any of them may be mined.
 * Safe in any number of processes.
 */
export class LaneKeeper {
  private readonly suspects = new Set<Hex>();
  /** By settler: the transaction that holds its lane up, and the block at which that was seen first. */
  private readonly heads = new Map<Address, { readonly hash: Hex; readonly since: bigint }>();

  constructor(private readonly deps: LaneKeeperDeps) {}

  /** @param nonce number of the settler's mined transactions, as of now */
  async tend(settler: Address, nonce: number): Promise<void> {
    const { book, outcomes } = this.deps;
    const places = byNonce(await book.unmined(settler, STRANDED_MS, LIMIT));
    for (const attempts of places) {
      const kind = await outcomes.lookAt(attempts);
      if (kind === 'mined') continue;
      if (attempts[0]!.nonce < nonce) {
        for (const attempt of attempts) await this.suspect(attempt);
      } else if (!(await this.push(attempts.at(-1)!, kind === 'pending', nonce))) {
        return;
      }
    }
  }

  /** `false` if it stays where it is, so that those behind it need not be tried. */
  private async push(newest: SettlementTransaction, pending: boolean, nonce: number): Promise<boolean> {
    const { log, sender } = this.deps;
    const { hash, payments } = newest;
    try {
      const dearer = await this.replacementOf(newest, nonce);
      if (dearer || !pending) await sender.publish(dearer ?? newest, payments);
      return true;
    } catch (error) {
      if (!(error instanceof SettlementPending || error instanceof FeeCapReached)) throw error;
      log.warn({ transaction: hash, nonce: newest.nonce, err: error.message }, 'a settlement stays stranded');
      return false;
    }
  }

  /** Durable before it is broadcast. `undefined` if it is not needed, or another worker was faster. */
  private async replacementOf(newest: SettlementTransaction, nonce: number): Promise<SignedTransaction | undefined> {
    const { book, chain, log } = this.deps;
    // The key may be one that is not used any more.
    if (!chain.settlers.includes(newest.settler)) return undefined;
    const stuck = newest.nonce === nonce && (await this.isStuck(newest));
    const dearer = await chain.raise(newest, stuck ? 'always' : 'if_underpriced');
    if (!dearer || !(await book.replace(newest.hash, dearer, newest.payments))) return undefined;
    log.info({ transaction: newest.hash, nonce: newest.nonce, by: dearer.hash, stuck }, 'a settlement is replaced');
    return dearer;
  }

  private async isStuck({ hash, settler }: SettlementTransaction): Promise<boolean> {
    const { number } = await this.deps.chain.head();
    const head = this.heads.get(settler);
    if (head?.hash === hash) return number >= head.since + STUCK_BLOCKS;
    this.heads.set(settler, { hash, since: number });
    return false;
  }

  /** Another transaction used its nonce, unless the node is behind: it must look lost twice. */
  private async suspect(row: SettlementTransaction): Promise<void> {
    if (!this.suspects.delete(row.hash)) {
      this.suspects.add(row.hash);
      return;
    }
    this.deps.log.warn({ transaction: row.hash, nonce: row.nonce }, 'the nonce of a settlement was used elsewhere');
    await this.deps.book.markLost(row.hash);
  }
}

/** Rows come by nonce and attempt. */
function byNonce(rows: readonly SettlementTransaction[]): readonly (readonly SettlementTransaction[])[] {
  const places = new Map<number, SettlementTransaction[]>();
  for (const row of rows) places.set(row.nonce, [...(places.get(row.nonce) ?? []), row]);
  return [...places.values()];
}
