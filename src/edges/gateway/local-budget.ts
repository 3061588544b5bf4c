import { LRUCache } from 'lru-cache';
import type { ServiceLimit } from './rate-limit-fields.js';

/** Keys counted at once; beyond that the ones that were idle longest are forgotten. */
const KEYS_MAX = 10_000;

interface Window {
  /** Epoch milliseconds. */
  readonly endsAt: number;
  used: number;
}

/**
 * So much per key and window, counted in this process alone: for decisions that must not wait for a store. Memory is
 * bounded, since strangers choose the keys. Whoever has more keys than are kept can be counted afresh.
 */
export class LocalBudget {
  private readonly windows = new LRUCache<string, Window>({ max: KEYS_MAX });

  constructor(
    private readonly policy: string,
    private readonly quota: number,
    private readonly windowSeconds: number,
  ) {}

  /** Takes one of this window's; `false` if they are used up. @param now epoch milliseconds */
  take(key: string, now: number): boolean {
    const window = this.windowOf(key, now);
    if (window.used >= this.quota) return false;
    window.used++;
    return true;
  }

  /** Is there any left? */
  has(key: string, now: number): boolean {
    return this.windowOf(key, now).used < this.quota;
  }

  /** Where a key stands, for the fields of a refusal. */
  standing(key: string, now: number): ServiceLimit {
    const { endsAt, used } = this.windowOf(key, now);
    const { policy, quota, windowSeconds } = this;
    return { policy, quota, windowSeconds, remaining: quota - used, resetSeconds: (endsAt - now) / 1000 };
  }

  private windowOf(key: string, now: number): Window {
    const found = this.windows.get(key);
    if (found !== undefined && found.endsAt > now) return found;
    const window = { endsAt: now + this.windowSeconds * 1000, used: 0 };
    this.windows.set(key, window);
    return window;
  }
}
