import type { Pool } from 'pg';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { type Allowance, EACH } from './allowance.js';

/** Read anew at least this often, should a notice be missed, in milliseconds. */
const REFRESH_MS = 5_000;

/** Who may use how much without paying, as of a moment ago. How much is left is decided where it is counted. */
export class AllowanceBook {
  private allowances: ReadonlyMap<string, Allowance> = new Map();
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    log: Logger,
  ) {
    this.loop = new WakeLoop('allowances', () => this.read(), REFRESH_MS, log);
  }

  async start(): Promise<void> {
    await this.read();
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** The customer's own, else the one that each proven customer has. */
  of(tenant: string, payer: string): Allowance | undefined {
    return this.allowances.get(`${tenant}/${payer}`) ?? this.allowances.get(`${tenant}/${EACH}`);
  }

  private async read(): Promise<boolean> {
    const { rows } = await this.pool.query<Allowance & { key: string }>(
      `select tenant || '/' || payer as key, counts, quota::text as "limit", period from allowances`,
    );
    this.allowances = new Map(rows.map(({ key, ...allowance }) => [key, allowance]));
    return false;
  }
}
