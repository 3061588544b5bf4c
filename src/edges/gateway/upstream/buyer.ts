import { withTimeout } from '../../../base/platform/with-timeout.js';

/** Where an answer goes. */
export interface AnswerSink {
  /** A promise means: wait before the next piece. Throws or rejects if the buyer has gone. */
  write(chunk: Buffer): void | Promise<void>;
  /** Calls back once if the buyer goes away, at once if it has gone already. */
  onGone(listener: () => void): void;
  /** Cuts a buyer off that takes no bytes: what it has is incomplete, and must not end as if it were whole. */
  cutOff(): void;
}

/** The receiving side of one delivery: there, gone, or gone for so long that the upstream is not waited for any more. */
export class Buyer {
  gone = false;
  drained = false;
  #released = false;
  #drainTimer: NodeJS.Timeout | undefined;

  /**
   * @param stallMs a piece that is not taken for this long means that the buyer has gone
   * @param onDrained called once, `drainMs` after the buyer has gone
   */
  constructor(
    private readonly sink: AnswerSink,
    private readonly stallMs: number,
    private readonly onDrained: () => void,
    private readonly drainMs: number,
  ) {
    sink.onGone(() => this.#leave());
  }

  /** Resolves when the next piece may come, also if the buyer has gone meanwhile. */
  async send(chunk: Buffer): Promise<void> {
    try {
      const taken = this.sink.write(chunk);
      if (taken) await withTimeout(taken, this.stallMs, 'the buyer took no bytes');
    } catch {
      this.sink.cutOff();
      this.#leave();
    }
  }

  release(): void {
    this.#released = true;
    clearTimeout(this.#drainTimer);
  }

  #leave(): void {
    if (this.gone || this.#released) return;
    this.gone = true;
    this.#drainTimer = setTimeout(() => {
      this.drained = true;
      this.onDrained();
    }, this.drainMs);
  }
}
