import type { Pool, PoolClient } from 'pg';
import type { StoredEvent, Upcast } from '../event.js';
import { type EventRow, eventColumns, toStoredEvent } from '../rows.js';
import type { Projection } from './projection.js';

/** The events that a projection wants, after one position up to another. Positions are dense (docs/adr/0002). */
export async function readRange(
  db: Pool | PoolClient,
  { types }: Pick<Projection, 'types'>,
  after: bigint,
  to: bigint,
  upcast: Upcast,
): Promise<StoredEvent[]> {
  const { rows } = await db.query<EventRow>({
    name: 'read-range',
    text: `select ${eventColumns} from events where position > $1 and position <= $2 and type = any($3::text[])
           order by events.position`,
    values: [after.toString(), to.toString(), types],
  });
  return rows.map((row) => upcast(toStoredEvent(row)));
}
