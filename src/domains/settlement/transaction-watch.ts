import type { SettlementChain, TransactionOutcome } from '../../base/chain/chain.js';
import type { Hex } from '../../base/shared/hex.js';
import { SettlementPending } from './settlement.ports.js';
import type { TransactionBook } from './settlement-transactions.js';

/** How long one attempt waits for a block, in milliseconds; after that the job is tried again later. */
const WAIT_MS = 15_000;

/** Waits for transactions to be mined, once per transaction however many payments are in it. */
export class TransactionWatch {
  private readonly waits = new Map<Hex, Promise<void>>();
  private readonly stopping: Promise<never>;
  private stopWaiting!: () => void;

  constructor(
    private readonly chain: SettlementChain,
    private readonly book: TransactionBook,
  ) {
    this.stopping = new Promise((_, reject) => {
      this.stopWaiting = () => reject(new SettlementPending('shutting down'));
    });
    this.stopping.catch(() => undefined);
  }

  /** Resolves when the transaction is in a block and the book says so. Rejects with `SettlementPending` otherwise. */
  mined(hash: Hex): Promise<void> {
    const known = this.waits.get(hash);
    if (known) return known;
    const wait = this.wait(hash).finally(() => this.waits.delete(hash));
    this.waits.set(hash, wait);
    return wait;
  }

  /** Ends all waiting at once. What was waited for is found again after the next start. */
  stop(): void {
    this.stopWaiting();
  }

  private async wait(hash: Hex): Promise<void> {
    const outcome = await Promise.race([this.chain.waitForTransaction(hash, WAIT_MS), this.stopping]);
    if (!(await recordOutcome(this.book, hash, outcome))) throw new SettlementPending(`transaction ${outcome.kind}`);
  }
}

/** Writes into the book what became of a transaction; `true` if it is in a block. */
export async function recordOutcome(book: TransactionBook, hash: Hex, outcome: TransactionOutcome): Promise<boolean> {
  if (outcome.kind !== 'mined') return false;
  // A transaction that failed as a whole had no effect and never can have one.
  if (outcome.succeeded) await book.markMined(hash, { number: outcome.blockNumber, hash: outcome.blockHash });
  else await book.markLost(hash);
  return true;
}
