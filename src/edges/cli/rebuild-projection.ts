import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import { beginSoon, compareWithLive, type ProjectionComparison } from '../../base/event-store/projections/compare.js';
import { registerProjection } from '../../base/event-store/projections/leases.js';
import type { Projection } from '../../base/event-store/projections/projection.js';
import { NewerRows, type OnProgress } from '../../base/event-store/projections/rebuild.js';

export interface RebuiltProjection {
  readonly name: string;
  readonly version: number;
  /** Positions read to make its rows, and how long that took, without the comparison. */
  readonly events: bigint;
  readonly seconds: number;
  /** Whether the rebuilt rows took the place of the live ones. */
  readonly swapped: boolean;
  /** Absent if the live rows were those of an older version: nothing to compare with. */
  readonly comparison?: ProjectionComparison;
}

export interface RebuildRequest {
  readonly upcast: Upcast;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Makes the rows of one projection anew beside the live ones, compares the two at the same position, and, unless it is a dry
 * run, puts them in the place of the live ones, whatever the comparison said.
 *
 * @throws PoisonEvent, RebuildElsewhere, NewerRows; the live rows are untouched then
 */
export async function rebuildProjection(
  pool: Pool,
  projection: Projection,
  { dryRun, onProgress, signal, upcast }: RebuildRequest,
): Promise<RebuiltProjection> {
  const { name, version } = projection;
  const liveVersion = await registerProjection(pool, projection);
  if (liveVersion > version) throw new NewerRows(`the rows of ${name} are of version ${liveVersion}, not ${version}`);
  const comparable = liveVersion === version;
  const rebuild = await beginSoon(pool, projection, { compareOnly: dryRun, upcast });
  let events = 0n;
  const count: OnProgress = (progress) => {
    events = progress.done;
    onProgress(progress);
  };
  try {
    const startedAt = performance.now();
    await rebuild.fill(comparable ? 'live' : 'head', count, signal);
    if (!dryRun) await rebuild.index();
    await rebuild.fill(comparable ? 'live' : 'head', count, signal);
    const comparedAt = performance.now();
    const comparison = comparable ? await compareWithLive(rebuild) : undefined;
    const comparedMs = performance.now() - comparedAt;
    if (!dryRun) {
      await rebuild.fill('head', count, signal);
      await rebuild.swap(signal);
    }
    const seconds = (performance.now() - startedAt - comparedMs) / 1000;
    return { name, version, events, seconds, swapped: !dryRun, comparison };
  } finally {
    // After a swap there is nothing left to drop.
    await rebuild.drop();
  }
}
