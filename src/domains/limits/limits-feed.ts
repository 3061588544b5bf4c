import type { Pool } from 'pg';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { LimitBook, type LimitRow } from './limit-book.js';

/** Compiled anew at least this often, should a notice be missed. */
const REFRESH_MS = 30_000;

/** The limits that a gateway keeps: what was published, compiled, a moment after it was published. */
export class LimitsFeed {
  private compiled = new LimitBook([]);
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    /** Of the channel `tollbook_catalogue`. */
    private readonly tail: LogTail,
    log: Logger,
  ) {
    this.loop = new WakeLoop('limits', () => this.reload(), REFRESH_MS, log);
  }

  get current(): LimitBook {
    return this.compiled;
  }

  async start(): Promise<void> {
    await this.reload();
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async reload(): Promise<boolean> {
    const { rows } = await this.pool.query<LimitRow>('select tenant, id, rules from limits order by tenant, id');
    this.compiled = new LimitBook(rows);
    return false;
  }
}
