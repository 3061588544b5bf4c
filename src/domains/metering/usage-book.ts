import type { Pool } from 'pg';
import type { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Clock } from '../../base/shared/clock.js';

/** Rows read at a time. */
const PAGE = 20_000;
/** Read at least, and at most, this often, in milliseconds. */
const REFRESH_MS = 1_000;
const REST_MS = 250;

interface UsageRow {
  readonly key: string;
  /** `2026-11-25 asset`. */
  readonly part: string;
  readonly units: string;
  readonly moved: string;
}

/**
 * What every payer has used in the current month (UTC), in memory: whoever names an address costs a look-up here and nothing
 * else. It follows the projection by the position that each row was moved to last, so it is about a second behind what
 * was delivered.
 */
export class UsageBook {
  /** Units by tenant, payer and route, then by day and asset. */
  private readonly units = new Map<string, Map<string, bigint>>();
  private month = '';
  private moved = 0n;
  private readonly loop: WakeLoop;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    private readonly clock: Clock,
    log: Logger,
  ) {
    this.loop = new WakeLoop('usage book', () => this.read(), REFRESH_MS, log, REST_MS);
  }

  async start(): Promise<void> {
    while (await this.read());
    this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Units of a payer on some routes since the beginning of a UTC day of this month. @param from epoch milliseconds */
  used(tenant: string, payer: string, routes: readonly string[], from: number): bigint {
    const first = dayOf(from);
    let sum = 0n;
    for (const route of routes) {
      const parts = this.units.get(`${tenant}/${payer}/${route}`);
      if (parts) for (const [part, units] of parts) if (part >= first) sum += units;
    }
    return sum;
  }

  private async read(): Promise<boolean> {
    const month = `${dayOf(this.clock()).slice(0, 7)}-01`;
    if (month !== this.month) {
      this.units.clear();
      this.month = month;
      this.moved = 0n;
    }
    const { rows } = await this.pool.query<UsageRow>({
      name: 'usage-moved',
      text: `select tenant || '/' || payer || '/' || route as key, day::text || ' ' || asset as part, units::text,
               moved::text from usage_days where moved > $1 and day >= $2 order by moved limit $3`,
      values: [this.moved.toString(), month, PAGE],
    });
    for (const row of rows) this.take(row);
    // An event moves one row, so no two rows have one position, and a page cuts none in two.
    this.moved = BigInt(rows.at(-1)?.moved ?? this.moved);
    return rows.length === PAGE;
  }

  private take({ key, part, units }: UsageRow): void {
    let parts = this.units.get(key);
    if (!parts) {
      parts = new Map();
      this.units.set(key, parts);
    }
    parts.set(part, BigInt(units));
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
