import type { Pool } from 'pg';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { type Catalogue, compileCatalogue } from './catalogue.js';
import { catalogueFromRows } from './catalogue.rows.js';
import { readCatalogueRows } from './catalogue-rows.queries.js';

/** Compiled anew at least this often, should a notice be missed. */
const REFRESH_MS = 30_000;

/** The catalogue that a gateway serves: what was published, compiled, a moment after it was published. */
export class CatalogueFeed {
  private compiled: Catalogue = compileCatalogue({ tenants: [], routes: [], tariffs: [] });
  /** Number of the reading that is served: one that began earlier and ends later is dropped. */
  private served = 0;
  private begun = 0;
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    private readonly log: Logger,
  ) {
    this.loop = new WakeLoop('catalogue', () => this.reload(), REFRESH_MS, log);
  }

  get current(): Catalogue {
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

  /** What was published before the call is in force when it resolves. */
  async refresh(): Promise<void> {
    await this.reload();
  }

  private async reload(): Promise<boolean> {
    const reading = ++this.begun;
    const read = catalogueFromRows(await readCatalogueRows(this.pool));
    if (reading < this.served) return false;
    this.served = reading;
    this.compiled = read;
    for (const left of this.compiled.leftOut) this.log.warn(left, 'route is not served');
    return false;
  }
}
