import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import { beginSoon, compareWithLive, type ProjectionComparison } from '../../base/event-store/projections/compare.js';
import { fillTogether } from '../../base/event-store/projections/fill-together.js';
import { registerProjection } from '../../base/event-store/projections/leases.js';
import type { Projection } from '../../base/event-store/projections/projection.js';
import { NewerRows, type OnProgress, type Rebuild } from '../../base/event-store/projections/rebuild.js';

export interface RebuiltProjection {
  readonly name: string;
  readonly version: number;
  /** Positions read to make its rows, and how long that took, without the comparison. */
  readonly events: bigint;
  readonly seconds: number;
  /** Whether the rebuilt rows took the place of the live ones. */
  readonly swapped: boolean;
  /** Absent if there were no live rows of this version yet: nothing to compare with. */
  readonly comparison?: ProjectionComparison;
}

/** What became of one projection: rebuilt, or why not. */
export type RebuildOutcome = RebuiltProjection | { readonly name: string; readonly error: string };

export interface RebuildRequest {
  readonly upcast: Upcast;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** A rebuild under way. */
interface Begun {
  readonly rebuild: Rebuild;
  /** The live rows are of the same version, and there is something to compare. */
  readonly comparable: boolean;
  readonly startedAt: number;
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
  request: RebuildRequest,
): Promise<RebuiltProjection> {
  return finish(await begin(pool, projection, request), request);
}

/**
 * The same for several, in one pass over the log as far as possible.
 *
 * @param told called with each outcome as soon as it is known
 * @throws only if the log cannot be read, or the signal's reason
 */
export async function rebuildProjections(
  pool: Pool,
  projections: readonly Projection[],
  request: RebuildRequest,
  told: (outcome: RebuildOutcome) => void,
): Promise<void> {
  const begun: Begun[] = [];
  const failed = (name: string) => (error: Error) => {
    request.signal.throwIfAborted();
    told({ name, error: error.message });
  };
  try {
    for (const projection of projections) {
      const one = await begin(pool, projection, request).catch(failed(projection.name));
      if (one) begun.push(one);
    }
    const targets = await Promise.all(begun.map((one) => one.rebuild.target(upTo(one))));
    const [target = 0n] = targets.sort((a, b) => Number(a - b));
    const rebuilds = begun.map(({ rebuild }) => rebuild);
    await fillTogether(pool, rebuilds, target, request);
    for (let one = begun.shift(); one !== undefined; one = begun.shift()) {
      const { name } = one.rebuild.projection;
      await finish(one, request).then(told, failed(name));
    }
  } finally {
    for (const { rebuild } of begun) await rebuild.drop();
  }
}

async function begin(pool: Pool, projection: Projection, { dryRun, upcast }: RebuildRequest): Promise<Begun> {
  const { name, version } = projection;
  const live = await registerProjection(pool, projection);
  if (live.version > version) {
    throw new NewerRows(`the rows of ${name} are of version ${live.version}, not ${version}`);
  }
  const startedAt = performance.now();
  const rebuild = await beginSoon(pool, projection, { compareOnly: dryRun, upcast });
  return { rebuild, comparable: live.version === version && live.position > 0n, startedAt };
}

/** Rows that are to be compared must not get ahead of the live ones. */
function upTo({ comparable }: Pick<Begun, 'comparable'>): 'live' | 'head' {
  return comparable ? 'live' : 'head';
}

async function finish(begun: Begun, { dryRun, onProgress, signal }: RebuildRequest): Promise<RebuiltProjection> {
  const { comparable, rebuild, startedAt } = begun;
  const { name, version } = rebuild.projection;
  let events = 0n;
  const count: OnProgress = (progress) => {
    events = progress.done;
    onProgress(progress);
  };
  try {
    await rebuild.fill(upTo(begun), count, signal);
    if (!dryRun) await rebuild.index();
    await rebuild.fill(upTo(begun), count, signal);
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
