import type { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { InterruptCommitment } from './commitment.decide.js';
import type { CommitmentId } from './commitment.js';

/** A gateway that has not written its lease for this long is taken for dead, as for payments. */
const DEAD_AFTER_SECONDS = 10;
/** Age at which a commitment of ours that we are not delivering must be one whose commit was never confirmed to us. */
const ORPHAN_AFTER_SECONDS = 15;
const SWEEP_MAX = 500;

interface Running {
  readonly id: CommitmentId;
  readonly gateway: string;
}

/** Interrupts commitments whose gateway is gone: their holds are given back, and nothing is owed. `true` if there may be more. */
export async function sweepCommitments(pool: Pool, bus: CommandBus): Promise<boolean> {
  const { rows } = await pool.query<Running>(
    `select c.id, c.gateway from commitments c left join gateway_leases l on l.id = c.gateway
       where c.state = 'running' and (l.id is null or l.beat_at < now() - make_interval(secs => $1))
         and c.accepted_at < now() - make_interval(secs => $1) limit $2`,
    [DEAD_AFTER_SECONDS, SWEEP_MAX],
  );
  for (const { gateway, id } of rows) await bus.execute(new InterruptCommitment(id, gateway));
  return rows.length === SWEEP_MAX;
}

/** The same for what a living gateway does not know that it accepted. @param delivers what it is delivering */
export async function sweepOrphanedCommitments(
  pool: Pool,
  bus: CommandBus,
  gateway: string,
  delivers: (id: CommitmentId) => boolean,
): Promise<boolean> {
  const { rows } = await pool.query<Running>(
    `select id, gateway from commitments
       where state = 'running' and gateway = $1 and accepted_at < now() - make_interval(secs => $2) limit $3`,
    [gateway, ORPHAN_AFTER_SECONDS, SWEEP_MAX],
  );
  for (const { id } of rows) if (!delivers(id)) await bus.execute(new InterruptCommitment(id, gateway));
  return false;
}
