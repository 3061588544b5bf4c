import type { SettlementChain } from '../../base/chain/chain.js';
import type { Hex } from '../../base/shared/hex.js';
import type { OutcomeRecorder } from './outcome-recorder.js';
import { SettlementPending } from './settlement.ports.js';

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
    private readonly outcomes: OutcomeRecorder,
  ) {}

  /** Resolves when the transaction is in a block, and log and book say so. Rejects with `SettlementPending` otherwise. */
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
    if (!(await this.outcomes.record(hash, outcome))) throw new SettlementPending(`transaction ${outcome.kind}`);
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
