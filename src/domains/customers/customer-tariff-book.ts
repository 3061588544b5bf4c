import type { Pool } from 'pg';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';

/** Read anew at least this often, should a notice be missed, in milliseconds. */
const REFRESH_MS = 5_000;

/** Which customers have tariffs of their own, as of a moment ago. */
export class CustomerTariffBook {
  /** By tenant and payer, then by route. */
  private tariffs: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map();
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    log: Logger,
  ) {
    this.loop = new WakeLoop('tariffs of customers', () => this.read(), REFRESH_MS, log);
  }

  async start(): Promise<void> {
    await this.read();
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  tariffOf(tenant: string, payer: string, route: string): string | undefined {
    return this.tariffs.get(`${tenant}/${payer}`)?.get(route);
  }

  /** The routes on which the customer pays by this tariff. */
  routesOf(tenant: string, payer: string, tariff: string): readonly string[] {
    const own = this.tariffs.get(`${tenant}/${payer}`);
    return own ? [...own].filter(([, id]) => id === tariff).map(([route]) => route) : [];
  }

  private async read(): Promise<boolean> {
    const { rows } = await this.pool.query<{ key: string; route: string; tariff: string }>(
      `select tenant || '/' || payer as key, route, tariff from customer_tariffs`,
    );
    const tariffs = new Map<string, Map<string, string>>();
    for (const { key, route, tariff } of rows) {
      const own = tariffs.get(key);
      if (own) own.set(route, tariff);
      else tariffs.set(key, new Map([[route, tariff]]));
    }
    this.tariffs = tariffs;
    return false;
  }
}
