import { EventCount, EventSplitter, type StreamFormat } from '../../../domains/pricing/request/event-stream.js';
import { type EventsFact, nameOfFact, UNREADABLE } from '../../../domains/pricing/request/fact.js';

/** Longest event that is waited for, in bytes: nothing of an event goes out before it is counted. */
const EVENT_BYTES_MAX = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** What may be counted of one stream, and the most of it that is held for. */
export interface EventsAllowed {
  readonly fact: EventsFact;
  readonly maximum: bigint;
}

export interface Metered {
  /** Whole events that are within what is held. */
  readonly pass: Buffer;
  /** The next event would be above it: nothing more may go out. */
  readonly cut: boolean;
}

/** Counts the events of an answer as it flows, and stops it before the first one that nobody has promised to pay for. */
export class StreamMeter {
  private readonly splitter: EventSplitter;
  private readonly counts: readonly EventCount[];
  private isCut = false;

  constructor(
    format: StreamFormat,
    private readonly allowed: readonly EventsAllowed[],
  ) {
    this.splitter = new EventSplitter(format);
    this.counts = allowed.map(({ fact }) => new EventCount(fact, format));
  }

  take(chunk: Buffer): Metered {
    const metered = this.pass(this.splitter.take(chunk));
    // It cannot be counted, so it is not passed on.
    if (!metered.cut && this.splitter.waiting > EVENT_BYTES_MAX) this.isCut = true;
    return { ...metered, cut: this.isCut };
  }

  /** The stream is at its end; what has no end counts as an event. */
  end(): Metered {
    const rest = this.splitter.rest();
    return this.pass(rest.length === 0 ? [] : [rest]);
  }

  /** What has gone out of it. */
  read(fact: EventsFact): string {
    const name = nameOfFact(fact);
    return this.counts.find((count) => nameOfFact(count.fact) === name)?.reading ?? UNREADABLE;
  }

  private pass(events: readonly Buffer[]): Metered {
    const passed: Buffer[] = [];
    for (const event of events) {
      this.isCut ||= this.counts.some((count, n) => {
        const total = count.with(event);
        return total === undefined || total > this.allowed[n]!.maximum;
      });
      if (this.isCut) break;
      for (const count of this.counts) count.add(event);
      passed.push(event);
    }
    return { pass: passed.length === 0 ? EMPTY : Buffer.concat(passed), cut: this.isCut };
  }
}
