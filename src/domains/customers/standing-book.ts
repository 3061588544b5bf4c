import type { Pool } from 'pg';
import type { LogTail } from '../../base/event-store/log-tail.js';
import { EVERYBODY, isDenied, type Standing } from '../../base/event-store/standings.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';

/** Read anew at least this often, should a notice be missed, in milliseconds. */
const REFRESH_MS = 5_000;

/**
 * Who is denied, as of a moment ago: for what must cost no store. It may lag, so it only ever refuses early; what lets
 * a payer in is decided in the transaction that admits it.
 */
export class StandingBook {
  private standings: ReadonlyMap<string, Standing> = new Map();
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    log: Logger,
  ) {
    this.loop = new WakeLoop('standings', () => this.read(), REFRESH_MS, log);
  }

  async start(): Promise<void> {
    await this.read();
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  isDenied(tenant: string, payer: string): boolean {
    if (this.standings.size === 0) return false;
    return isDenied(this.standings.get(`${tenant}/${payer}`), this.standings.get(`${tenant}/${EVERYBODY}`));
  }

  private async read(): Promise<boolean> {
    const { rows } = await this.pool.query<{ key: string; standing: Standing }>(
      `select tenant || '/' || payer as key, standing from payer_standings`,
    );
    this.standings = new Map(rows.map(({ key, standing }) => [key, standing]));
    return false;
  }
}
