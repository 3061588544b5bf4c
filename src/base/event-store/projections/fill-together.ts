import type { Pool } from 'pg';
import type { Upcast } from '../event.js';
import { readRange } from './read-range.js';
import { BATCH, type OnProgress, type Rebuild } from './rebuild.js';

export interface FillOptions {
  readonly upcast: Upcast;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Fills rebuilds that were just begun up to a position, reading the log once for all of them: reading and parsing events
 * costs as much as most projections do. One that fails leaves the pass; its own `fill` goes on from there and says why.
 *
 * @throws what the database throws while reading, or the signal's reason
 */
export async function fillTogether(
  pool: Pool,
  rebuilds: readonly Rebuild[],
  target: bigint,
  { onProgress, signal, upcast }: FillOptions,
): Promise<void> {
  const types = [...new Set(rebuilds.flatMap(({ projection }) => projection.types))];
  const read = async (after: bigint) => {
    const end = after + BigInt(BATCH);
    const to = end < target ? end : target;
    return { to, events: to > after ? await readRange(pool, { types }, after, to, upcast) : [] };
  };
  let group = rebuilds;
  let next = read(0n);
  for (let position = 0n; position < target && group.length > 0; ) {
    signal?.throwIfAborted();
    const { events, to } = await next;
    next = read(to);
    next.catch(() => undefined);
    const kept = await Promise.all(group.map((rebuild) => rebuild.take(events, to)));
    group = group.filter((_, index) => kept[index]);
    position = to;
    onProgress?.({ done: position, total: target });
  }
  await next;
}
