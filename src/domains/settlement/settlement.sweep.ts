import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import type { Network } from '../../base/shared/hex.js';
import { type PaymentId, paymentStream } from '../payments/payment.js';
import { OPEN_STATES } from '../payments/settle.decide.js';
import { readOpenSettlements } from './open-settlement.js';
import type { SettlementQueue } from './settlement.queue.js';

const PAGE = 500;
/** Payments that moved this recently are on their way, in milliseconds. */
const QUIET_MS = 3_000;

/**
 * Finds open payments that nobody works on: after Redis lost its jobs, after a job's last attempt, after a rollback of
 * the chain. Queueing a payment that has a job changes nothing, so none is looked up first. As long as Redis has a job
 * for each open payment one page per turn is enough; otherwise all are queued at once.
 */
export class SettlementSweep {
  private after = '';

  constructor(
    private readonly pool: Pool,
    private readonly queue: Pick<SettlementQueue, 'add' | 'hasRoomForOld' | 'living'>,
    private readonly network: Network,
    private readonly upcast: Upcast,
  ) {}

  /** One turn; `true` if the next should follow at once. */
  async step(): Promise<boolean> {
    if (!(await this.queue.hasRoomForOld())) return false;
    const { rows } = await this.pool.query<{ id: PaymentId }>(
      `select id from payments where state = any($5::text[]) and network = $1 and id > $2
         and updated_at < now() - $3 * interval '1 millisecond' order by id limit $4`,
      [this.network, this.after, QUIET_MS, PAGE, OPEN_STATES],
    );
    if (rows.length > 0) {
      const streams = rows.map(({ id }) => paymentStream(id));
      await this.queue.add(await readOpenSettlements(this.pool, streams, this.upcast), true);
    }
    const more = rows.length === PAGE;
    this.after = more ? rows.at(-1)!.id : '';
    return more && (await this.jobsAreMissing());
  }

  private async jobsAreMissing(): Promise<boolean> {
    const { rows } = await this.pool.query<{ open: string }>(
      `select count(*) as open from payments where state = any($2::text[]) and network = $1`,
      [this.network, OPEN_STATES],
    );
    return (await this.queue.living()) < Number(rows[0]!.open);
  }
}
