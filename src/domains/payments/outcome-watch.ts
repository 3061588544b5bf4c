import type { EventStore } from '../../base/event-store/event-store.js';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { foldPayment, loadPayment } from './handler-for.js';
import { type Payment, type PaymentEvent, type PaymentId, paymentStream } from './payment.js';

const POLL_MS = 250;

interface Watcher {
  readonly until: (payment: Payment) => boolean;
  readonly resolve: (payment: Payment) => void;
}

/** Waits for payments to reach a state, whichever process takes them there. Costs nothing while nobody waits. */
export class OutcomeWatch {
  private readonly watchers = new Map<PaymentId, Set<Watcher>>();
  private readonly loop: WakeLoop;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly store: EventStore,
    tail: LogTail,
    log: Logger,
  ) {
    this.loop = new WakeLoop('outcome watch', () => this.look(), POLL_MS, log);
    this.unsubscribe = tail.onAppended(() => {
      if (this.watchers.size > 0) this.loop.wake();
    });
  }

  /** Resolves with the payment once `until` holds, or as it stands when the time is over. */
  async waitFor(id: PaymentId, until: (payment: Payment) => boolean, timeoutMs: number): Promise<Payment> {
    const watched = this.watch(id, until);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
    });
    try {
      return (await Promise.race([watched.outcome, timeout])) ?? (await loadPayment(this.store, id)).state;
    } finally {
      clearTimeout(timer);
      watched.cancel();
    }
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    await this.loop.stop();
  }

  private watch(id: PaymentId, until: Watcher['until']) {
    const set = this.watchers.get(id) ?? new Set<Watcher>();
    this.watchers.set(id, set);
    let watcher: Watcher | undefined;
    const outcome = new Promise<Payment>((resolve) => {
      watcher = { until, resolve };
      set.add(watcher);
    });
    this.loop.wake();
    const cancel = () => {
      set.delete(watcher!);
      if (set.size === 0 && this.watchers.get(id) === set) this.watchers.delete(id);
    };
    return { outcome, cancel };
  }

  private async look(): Promise<boolean> {
    const watched = [...this.watchers];
    if (watched.length === 0) return false;
    const streams = await this.store.readStreams(watched.map(([id]) => paymentStream(id)));
    for (const [id, set] of watched) {
      const state = foldPayment((streams.get(paymentStream(id)) ?? []) as unknown as readonly PaymentEvent[]);
      for (const watcher of [...set]) if (watcher.until(state)) watcher.resolve(state);
    }
    return false;
  }
}
