import type { Pool } from 'pg';
import type { StoredEvent } from './event.js';
import { positionsBetween } from './event-times.js';
import { type EventRow, eventColumns, toStoredEvent } from './rows.js';

export interface EventFilter {
  readonly stream?: string;
  /** Any of these; all if there are none. */
  readonly types?: readonly string[];
  readonly tenant?: string;
  /** First and last time that counts, of `occurredAt`. */
  readonly from?: Date;
  readonly to?: Date;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Everything up to this position was looked at; missing if there is nothing behind it. */
  readonly next: bigint | undefined;
}

/** Positions looked at in one query, and for how long there is another one, in milliseconds. */
const WINDOW = 50_000n;
const SEARCH_MS = 1_000;

/**
 * Up to `limit` events after a position that pass the filter, by position. There are no indexes for filters, since every
 * append would pay for them: a rare type is searched for in windows, and a page may be short, or empty, before the end.
 */
export async function listEvents(pool: Pool, filter: EventFilter, after: bigint, limit: number): Promise<EventPage> {
  const { first, last } = await positionsBetween(pool, filter.from, filter.to);
  const events: StoredEvent[] = [];
  const end = performance.now() + SEARCH_MS;
  let next = after < first - 1n ? first - 1n : after;
  while (next < last) {
    const to = filter.stream === undefined && next + WINDOW < last ? next + WINDOW : last;
    events.push(...(await readWindow(pool, filter, next, to, limit - events.length)));
    if (events.length === limit) next = events[limit - 1]!.position;
    else next = to;
    if (events.length === limit || performance.now() > end) break;
  }
  return { events, next: next < last ? next : undefined };
}

async function readWindow(pool: Pool, filter: EventFilter, after: bigint, to: bigint, limit: number) {
  // The events of a stream are few and have an index of their own; `offset 0` keeps the planner from another way.
  const source =
    filter.stream === undefined
      ? 'events'
      : '(select * from events where stream_key(stream) = stream_key($3) offset 0)';
  const { rows } = await pool.query<EventRow>({
    text: `select ${eventColumns} from ${source} as e
      where e.position > $1 and e.position <= $2 and ($3::text is null or stream = $3)
        and ($4::text[] is null or type = any($4)) and ($5::text is null or tenant = $5)
        and ($6::timestamptz is null or occurred_at >= $6) and ($7::timestamptz is null or occurred_at <= $7)
      order by e.position limit $8`,
    values: [
      after.toString(),
      to.toString(),
      filter.stream ?? null,
      filter.types?.length ? filter.types : null,
      filter.tenant ?? null,
      filter.from ?? null,
      filter.to ?? null,
      limit,
    ],
  });
  return rows.map(toStoredEvent);
}

/** The event at a position, if there is one. */
export async function findEvent(pool: Pool, position: bigint): Promise<StoredEvent | undefined> {
  const { rows } = await pool.query<EventRow>({
    name: 'event-at',
    text: `select ${eventColumns} from events where position = $1`,
    values: [position.toString()],
  });
  return rows.map(toStoredEvent)[0];
}
