import { LRUCache } from 'lru-cache';
import type { RefundId } from '../../payments/refund.js';

/** The first pause and the longest, in milliseconds. */
const FIRST_MS = 2_000;
const LONGEST_MS = 300_000;
/** Those that are forgotten are tried again at once. */
const REMEMBERED_MAX = 100_000;

interface Pause {
  readonly until: number;
  readonly ms: number;
  readonly reason?: string;
}

/** When this process tries refunds again that came to nothing: each time after twice as long. */
export class Pauses {
  private readonly known = new LRUCache<RefundId, Pause>({ max: REMEMBERED_MAX });

  /** @param now epoch milliseconds; the reason stands until another one is known */
  begin(refund: RefundId, now: number, reason?: string): void {
    const before = this.known.get(refund);
    const ms = before ? Math.min(2 * before.ms, LONGEST_MS) : FIRST_MS;
    this.known.set(refund, { until: now + ms, ms, reason: reason ?? before?.reason });
  }

  /** @param now epoch milliseconds */
  isOver(refund: RefundId, now: number): boolean {
    return now >= (this.known.get(refund)?.until ?? now);
  }

  reasonOf(refund: RefundId): string | undefined {
    return this.known.get(refund)?.reason;
  }

  forget(refund: RefundId): void {
    this.known.delete(refund);
  }
}
