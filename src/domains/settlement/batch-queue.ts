import type { Outcome } from '../../base/event-store/group-commit.js';
import type { Clock } from '../../base/shared/clock.js';
import { batchPlan, type GasPrices, type Waiting } from './batch-plan.js';
import { type SettleItem, SettlementPending } from './settlement.ports.js';
import type { Submission } from './settlement.sender.js';

interface Entry extends Waiting {
  readonly item: SettleItem;
  resolve(submission: Submission): void;
  reject(error: unknown): void;
}

export interface BatchQueueDeps {
  send(items: readonly SettleItem[]): Promise<readonly Outcome<Submission>[]>;
  /** Resolves when a transaction may be sent, or when it is no use to wait. */
  room(): Promise<void>;
  readonly prices: () => Promise<GasPrices>;
  readonly clock: Clock;
}

/** Payments of one token on their way into transactions, one transaction after the other; `batchPlan` says when, and which. */
export class BatchQueue {
  private waiting: Entry[] = [];
  private running = false;
  private stopped = false;
  private wake = () => {};

  constructor(private readonly deps: BatchQueueDeps) {}

  /** Resolves when a transaction that may pay for it was published. Rejects with what `send` says. */
  add(item: SettleItem, urgent: boolean): Promise<Submission> {
    return new Promise((resolve, reject) => {
      if (this.stopped) return reject(new SettlementPending('shutting down'));
      const since = performance.now();
      const validMs = Number(item.state.authorized.terms.validBefore) * 1000 - this.deps.clock();
      this.waiting.push({ item, urgent, since, lapsesAt: since + validMs, resolve, reject });
      this.wake();
      if (!this.running) void this.run();
    });
  }

  /** Those that still wait reject with `SettlementPending`. */
  stop(): void {
    this.stopped = true;
    for (const { reject } of this.waiting.splice(0)) reject(new SettlementPending('shutting down'));
    this.wake();
  }

  private async run(): Promise<void> {
    this.running = true;
    // Lets everything that this turn of the event loop brings join the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const prices = await this.deps.prices();
      const { send, waitMs } = batchPlan(this.waiting, performance.now(), prices);
      if (send.length === 0) await this.pause(waitMs);
      else await this.sendNext(prices);
    }
    this.running = false;
  }

  private async sendNext(prices: GasPrices): Promise<void> {
    await this.deps.room();
    // More may have come while there was no room.
    const { send } = batchPlan(this.waiting, performance.now(), prices);
    this.waiting = this.waiting.filter((entry) => !send.includes(entry));
    try {
      const outcomes = await this.deps.send(send.map(({ item }) => item));
      send.forEach(({ reject, resolve }, index) => {
        const outcome = outcomes[index]!;
        if ('ok' in outcome) resolve(outcome.ok);
        else reject(outcome.error);
      });
    } catch (error) {
      for (const { reject } of send) reject(error);
    }
  }

  /** Until the time is over, or somebody comes. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(ms));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
