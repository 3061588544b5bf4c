import type { JsonObject } from '../shared/json.js';
import type { StoredEvent } from './event.js';

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

export function toStoredEvent(row: EventRow): StoredEvent {
  const { occurred_at: occurredAt, position, ...rest } = row;
  return { ...rest, position: BigInt(position), occurredAt };
}
