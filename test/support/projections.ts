import type { Pool } from 'pg';
import type { EventStore } from '../../src/base/event-store/event-store.js';
import { type Projection, ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import type { Logger } from '../../src/base/platform/logger.js';
import { eventually } from './eventually.js';
import { paymentEvents } from './payment-events.js';

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Writes the whole lives of payments `from` up to, not including, `to`; a few at once, so that the lives mix. */
export async function appendPayments(store: EventStore, from: number, to: number): Promise<void> {
  let next = from;
  const lane = async () => {
    for (let n = next++; n < to; n = next++) {
      const { events, stream } = paymentEvents(n);
      for (const [version, event] of events.entries()) {
        await store.append({ stream, tenant: 'demo', expectedVersion: version, decide: () => ({ events: [event] }) });
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

/** Runs a projection up to the end of the log. */
export async function runToEnd(
  pool: Pool,
  tail: ConstructorParameters<typeof ProjectionRunner>[1],
  projection: Projection,
): Promise<void> {
  const runner = new ProjectionRunner(pool, tail, projection, silent);
  while (await runner.step());
  await runner.stop();
}

export interface CheckpointRow {
  readonly name: string;
  readonly version: number;
  readonly position: number;
  readonly owner: string | null;
  readonly epoch: number;
  readonly stopped_at: number | null;
  readonly stopped_error: string | null;
}

/** By name of the projection. */
export async function checkpoints(pool: Pool): Promise<Map<string, CheckpointRow>> {
  const { rows } = await pool.query<CheckpointRow>(
    `select name, version, position::int, owner, epoch::int, stopped_at::int, stopped_error
     from projection_checkpoints where lease_until > clock_timestamp() or owner is null`,
  );
  return new Map(rows.map((row) => [row.name, row]));
}

export async function headOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ head: number }>('select coalesce(max(position), 0)::int as head from events');
  return rows[0]!.head;
}

/** Waits until these projections have seen the whole log. */
export async function caughtUp(pool: Pool, names: readonly string[], timeoutMs = 20_000): Promise<void> {
  await eventually(async () => {
    const [head, found] = [await headOf(pool), await checkpoints(pool)];
    for (const name of names) {
      const at = found.get(name)?.position;
      if (at !== head) throw new Error(`${name} is at ${at} of ${head}`);
    }
    return true;
  }, timeoutMs);
}
