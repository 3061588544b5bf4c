import type { SettlementChain, TransactionOutcome } from '../../base/chain/chain.js';
import type { Hex } from '../../base/shared/hex.js';
import { SettlementPending } from './settlement.ports.js';
import type { TransactionBook } from './settlement-transactions.js';

/** How long one attempt waits for a block, in milliseconds; after that the job is tried again later. */
const WAIT_MS = 15_000;

/** Waits for transactions to be mined, once per transaction however many payments are in it. */
export class TransactionWatch {
  private readonly waits = new Map<Hex, Promise<void>>();
  /** Ends the waits under way. A promise shared by all of them would remember every wait that ever was. */
  private readonly stops = new Set<() => void>();
  private stopped = false;

  constructor(
    private readonly chain: SettlementChain,
    private readonly book: TransactionBook,
  ) {}

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
    this.stopped = true;
    for (const stop of this.stops) stop();
  }

  private async wait(hash: Hex): Promise<void> {
    const outcome = await this.unlessStopped(this.chain.waitForTransaction(hash, WAIT_MS));
    if (!(await recordOutcome(this.book, hash, outcome))) throw new SettlementPending(`transaction ${outcome.kind}`);
  }

  private unlessStopped<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(new SettlementPending('shutting down'));
      if (this.stopped) stop();
      this.stops.add(stop);
      work.then(resolve, reject).finally(() => this.stops.delete(stop));
    });
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
