import type { Pool, PoolClient } from 'pg';
import type { JsonObject } from '../shared/json.js';
import { asStored, type StoredEvent, type Upcast } from './event.js';
import { ofStream, ofStreams } from './stream-key.js';

export interface EventRow {
  position: string;
  stream: string;
  version: number;
  type: string;
  schema: number;
  tenant: string;
  data: JsonObject;
  occurred_at: Date;
}

export const eventColumns = 'position::text, stream, version, type, schema, tenant, data, occurred_at';

/** Field by field: copying the rest of an object costs a rebuild as much as parsing the rows. */
export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    position: BigInt(row.position),
    stream: row.stream,
    version: row.version,
    type: row.type,
    schema: row.schema,
    tenant: row.tenant,
    data: row.data,
    occurredAt: row.occurred_at,
  };
}

/** All events of a stream, oldest first, as they are stored. */
export async function readStream(db: Pool | PoolClient, stream: string): Promise<StoredEvent[]> {
  const { rows } = await db.query<EventRow>({
    name: 'read-stream',
    text: `select ${eventColumns} from events where ${ofStream} order by version`,
    values: [stream],
  });
  return rows.map(toStoredEvent);
}

/** Up to `limit` events after a position, in commit order: nothing before the last one is missing (docs/adr/0002). */
export async function readEventsAfter(
  db: Pool | PoolClient,
  position: bigint,
  limit: number,
  upcast: Upcast = asStored,
): Promise<StoredEvent[]> {
  const { rows } = await db.query<EventRow>({
    name: 'read-after',
    text: `select ${eventColumns} from events where position > $1 order by events.position limit $2`,
    values: [position.toString(), limit],
  });
  return rows.map((row) => upcast(toStoredEvent(row)));
}

/** The event that began each of the streams; streams without events are missing. */
export async function readFirstEvents(
  db: Pool | PoolClient,
  streams: readonly string[],
  upcast: Upcast,
): Promise<StoredEvent[]> {
  const { rows } = await db.query<EventRow>({
    name: 'read-first',
    text: `select ${eventColumns} from events where ${ofStreams} and version = 1`,
    values: [streams],
  });
  return rows.map((row) => upcast(toStoredEvent(row)));
}
