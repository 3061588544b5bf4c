import type { Logger } from './logger.js';

/**
 * Runs one piece of work again and again: when woken, and at least once per interval. Never twice at once. Work says
 * `true` if there is more to do at once. After an error the work is tried again after the interval; an error that comes again
 * and again is logged once, and so is its end.
 *
 * A wake after a quiet time is served at once; while wakes keep coming, `restMs` passes between two runs, so that busy
 * times are served in fewer and larger steps.
 */
export class WakeLoop {
  private woken = false;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private endRest: (() => void) | undefined;
  private stopped = false;
  /** Message of the error that the last run ended with. */
  private failing: string | undefined;

  constructor(
    private readonly name: string,
    private readonly work: () => Promise<boolean>,
    private readonly intervalMs: number,
    private readonly log: Logger,
    private readonly restMs = 0,
  ) {}

  start(): void {
    this.wake();
  }

  wake(): void {
    if (this.stopped) return;
    this.woken = true;
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.endRest?.();
    await this.running;
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    try {
      while (this.woken && !this.stopped) {
        this.woken = false;
        const more = await this.work();
        this.noteSuccess();
        if (more) this.woken = true;
        else if (this.restMs > 0) await this.rest();
      }
    } catch (error) {
      this.noteFailure((error as Error).message);
    } finally {
      this.running = undefined;
      if (!this.stopped) this.timer = setTimeout(() => this.wake(), this.intervalMs);
    }
  }

  private noteFailure(err: string): void {
    const fields = { err, loop: this.name };
    if (err === this.failing) this.log.debug(fields, 'background work failed again');
    else this.log.error(fields, 'background work failed; trying again');
    this.failing = err;
  }

  private noteSuccess(): void {
    if (this.failing !== undefined) this.log.info({ loop: this.name }, 'background work goes on');
    this.failing = undefined;
  }

  private async rest(): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.restMs);
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endRest = undefined;
  }
}
