import { setTimeout as delay } from 'node:timers/promises';

/** When each of many is due, at a steady rate. */
export class Pace {
  private taken = 0;

  /** @param rate a second @param start milliseconds, as `performance.now()` gives them */
  constructor(
    private readonly rate: number,
    private readonly start: number,
  ) {}

  /**
   * Waits for the next turn and resolves to the time it was due. Latency counts from there, so that a stall counts for
   * everything that it held up.
   */
  async next(): Promise<number> {
    const due = this.start + (this.taken++ * 1000) / this.rate;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    return due;
  }
}
