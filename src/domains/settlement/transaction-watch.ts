import type { NonceSlot, SettlementChain } from '../../base/chain/chain.js';
import type { OutcomeRecorder } from './outcome-recorder.js';
import { SettlementPending } from './settlement.ports.js';
import type { TransactionBook } from './settlement-transactions.js';

/** How long one attempt waits for a block, in milliseconds; after that the job is tried again later. */
const WAIT_MS = 15_000;

/** Waits for transactions to be mined, once per slot however many payments are in it, and whichever attempt it will be. */
export class TransactionWatch {
  private readonly waits = new Map<string, Promise<void>>();
  /** Ends the waits under way. A promise shared by all of them would remember every wait that ever was. */
  private readonly stops = new Set<() => void>();
  private stopped = false;

  constructor(
    private readonly chain: Pick<SettlementChain, 'waitForNonce'>,
    private readonly book: Pick<TransactionBook, 'attempts'>,
    private readonly outcomes: OutcomeRecorder,
  ) {}

  /** Resolves when a transaction of ours is mined there, and log and book say so. Rejects with `SettlementPending` otherwise. */
  mined(slot: NonceSlot): Promise<void> {
    const key = `${slot.settler}/${slot.nonce}`;
    const known = this.waits.get(key);
    if (known) return known;
    const wait = this.wait(slot).finally(() => this.waits.delete(key));
    this.waits.set(key, wait);
    return wait;
  }

  /** Ends all waiting at once. What was waited for is found again after the next start. */
  stop(): void {
    this.stopped = true;
    for (const stop of this.stops) stop();
  }

  private async wait(slot: NonceSlot): Promise<void> {
    if (!(await this.unlessStopped(this.chain.waitForNonce(slot, WAIT_MS))))
      throw new SettlementPending('not mined yet');
    if ((await this.outcomes.lookAt(await this.book.attempts(slot))) === 'mined') return;
    throw new SettlementPending('the nonce is used, but by none of our transactions that the node knows');
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
