import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { Logger } from '../../base/platform/logger.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { InterruptDelivery } from './payment.decide.js';
import type { PaymentId } from './payment.js';

const BEAT_MS = 1_000;
/** A gateway that has not written its lease for this long is taken for dead. */
const DEAD_AFTER_SECONDS = 10;
/** Age at which an admission of ours that we are not delivering must be one whose commit was never confirmed to us. */
const ORPHAN_AFTER_SECONDS = 15;
const SWEEP_MAX = 500;

/** Says that this gateway is alive, and knows which payments it is delivering right now. */
export class GatewayLease {
  /** How often each is held: presentations that lose the claim let go while the winner still delivers. */
  private readonly delivering = new Map<PaymentId, number>();
  private readonly loop: WakeLoop;

  constructor(
    readonly id: string,
    private readonly pool: Pool,
    private readonly bus: CommandBus,
    log: Logger,
  ) {
    this.loop = new WakeLoop('gateway lease', () => this.beat(), BEAT_MS, log);
  }

  async start(): Promise<void> {
    await this.beat();
    this.loop.start();
  }

  /** Call after the last delivery is done: the lease is given up, so nothing has to wait for it to expire. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.pool.query('delete from gateway_leases where id = $1', [this.id]).catch(() => undefined);
  }

  /** Marks a payment as in delivery here until the returned function is called; further calls of it do nothing. */
  hold(id: PaymentId): () => void {
    this.delivering.set(id, (this.delivering.get(id) ?? 0) + 1);
    let held = true;
    return () => {
      if (held) this.letGo(id);
      held = false;
    };
  }

  private letGo(id: PaymentId): void {
    const others = this.delivering.get(id)! - 1;
    if (others === 0) this.delivering.delete(id);
    else this.delivering.set(id, others);
  }

  private async beat(): Promise<boolean> {
    await this.pool.query(
      'insert into gateway_leases (id, beat_at) values ($1, now()) on conflict (id) do update set beat_at = now()',
      [this.id],
    );
    await this.interruptOrphans();
    return false;
  }

  private async interruptOrphans(): Promise<void> {
    const { rows } = await this.pool.query<{ id: PaymentId }>(
      `select id from payments where state in ('authorized', 'delivering') and gateway = $1
         and updated_at < now() - make_interval(secs => $2) limit $3`,
      [this.id, ORPHAN_AFTER_SECONDS, SWEEP_MAX],
    );
    for (const { id } of rows) {
      if (!this.delivering.has(id)) await this.bus.execute(new InterruptDelivery(id, this.id));
    }
  }
}

/** Interrupts deliveries whose gateway is gone: nothing is charged for them. `true` if there may be more. */
export async function sweepDeadGateways(pool: Pool, bus: CommandBus): Promise<boolean> {
  const { rows } = await pool.query<{ id: PaymentId; gateway: string }>(
    `select p.id, p.gateway from payments p left join gateway_leases l on l.id = p.gateway
       where p.state in ('authorized', 'delivering') and (l.id is null or l.beat_at < now() - make_interval(secs => $1))
         and p.updated_at < now() - make_interval(secs => $1) limit $2`,
    [DEAD_AFTER_SECONDS, SWEEP_MAX],
  );
  for (const { id, gateway } of rows) await bus.execute(new InterruptDelivery(id, gateway));
  await pool.query("delete from gateway_leases where beat_at < now() - interval '1 day'");
  return rows.length === SWEEP_MAX;
}
