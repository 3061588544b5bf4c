import type { Logger } from './logger.js';

/**
 * Runs one piece of work again and again: when woken, and at least once per interval. Never twice at once. Work says
 * `true` if there is more to do at once. An error is logged and the work tried again after the interval.
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
        if (await this.work()) this.woken = true;
        else if (this.restMs > 0) await this.rest();
      }
    } catch (error) {
      this.log.error({ err: (error as Error).message, loop: this.name }, 'background work failed; trying again');
    } finally {
      this.running = undefined;
      if (!this.stopped) this.timer = setTimeout(() => this.wake(), this.intervalMs);
    }
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
