import type { PoolClient } from 'pg';
import type { StoredEvent } from '../event.js';

/**
 * Applies events, in commit order, within the transaction that moves the checkpoint: each event counts once. An event that
 * makes it throw stops the projection there, unless it throws `NotNow` or the database is at fault.
 */
export type ApplyEvents = (client: PoolClient, events: readonly StoredEvent[]) => Promise<void>;

/** Rows derived from events. */
export interface Projection {
  readonly name: string;
  /** Raise it when the rows change meaning; the projection is then rebuilt from the first event, beside the live rows. */
  readonly version: number;
  readonly types: readonly string[];
  /**
   * The tables that hold its rows, and nothing else. Its statements name them without a schema, because a rebuild fills
   * a copy beside the live ones; while it does, the copy has only its keys and unique indexes. None, if its effect is
   * elsewhere: then it is never rebuilt.
   */
  readonly tables: readonly string[];
  /** How long the rows may lag behind in busy times, so that events are taken in larger batches; milliseconds. */
  readonly lagMs: number;
  /** What one run of it remembers between batches ends with the run: after a failure and on taking over it begins anew. */
  begin(): ApplyEvents;
}

/** What a projection writes to is away; the event is not at fault. */
export class NotNow extends Error {}

/** A projection cannot apply an event: a mistake in one of the two. */
export class PoisonEvent extends Error {
  constructor(
    readonly projection: string,
    readonly position: bigint,
    cause: unknown,
  ) {
    super(`projection ${projection} cannot apply the event at position ${position}: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
