import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { InterruptFreeRequest } from './free-request.decide.js';
import type { FreeRequestId } from './free-request.js';

/** A gateway that has not written its lease for this long is taken for dead, as for payments. */
const DEAD_AFTER_SECONDS = 10;
/** Age at which a grant of ours that we are not delivering must be one whose commit was never confirmed to us. */
const ORPHAN_AFTER_SECONDS = 15;
const SWEEP_MAX = 500;

interface Running {
  readonly id: FreeRequestId;
  readonly gateway: string;
}

/** Interrupts free requests whose gateway is gone: their allowance is given back. `true` if there may be more. */
export async function sweepFreeRequests(pool: Pool, bus: CommandBus): Promise<boolean> {
  const { rows } = await pool.query<Running>(
    `select r.id, r.gateway from running_free_requests r left join gateway_leases l on l.id = r.gateway
       where (l.id is null or l.beat_at < now() - make_interval(secs => $1))
         and r.since < now() - make_interval(secs => $1) limit $2`,
    [DEAD_AFTER_SECONDS, SWEEP_MAX],
  );
  for (const { gateway, id } of rows) await bus.execute(new InterruptFreeRequest(id, gateway));
  return rows.length === SWEEP_MAX;
}

/** The same for what a living gateway does not know that it was granted. @param delivers what it is delivering */
export async function sweepOrphans(
  pool: Pool,
  bus: CommandBus,
  gateway: string,
  delivers: (id: FreeRequestId) => boolean,
): Promise<boolean> {
  const { rows } = await pool.query<Running>(
    `select id, gateway from running_free_requests
       where gateway = $1 and since < now() - make_interval(secs => $2) limit $3`,
    [gateway, ORPHAN_AFTER_SECONDS, SWEEP_MAX],
  );
  for (const { id } of rows) if (!delivers(id)) await bus.execute(new InterruptFreeRequest(id, gateway));
  return false;
}
