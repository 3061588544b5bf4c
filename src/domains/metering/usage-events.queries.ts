import type { Pool } from 'pg';
import type { Metered } from './metered.js';

export interface UsageEventFilter {
  readonly tenant: string;
  readonly customer?: string;
  readonly source?: string;
  readonly id?: string;
  /** When it was used: from, inclusive, and to, exclusive. */
  readonly from?: Date;
  readonly to?: Date;
}

export interface UsageEventView {
  readonly source: string;
  readonly id: string;
  readonly customer: string;
  readonly time: string;
  readonly received_at: string;
  /** Batch and line, as in its `UsageIngested`. */
  readonly batch: string;
  readonly line: number;
  /** By meter. */
  readonly metered: Metered;
  readonly replaces?: UsageEventName;
  /** It does not count any more. */
  readonly replaced_by?: UsageEventName;
  /** What was sent, in canonical JSON, with all digits. */
  readonly event: string;
}

interface UsageEventName {
  readonly source: string;
  readonly id: string;
}

/** Where a page ends: time, source and id of its last event. */
export type UsageEventKey = readonly [time: string, source: string, id: string];

export function usageEventKey({ id, source, time }: UsageEventView): UsageEventKey {
  return [time, source, id];
}

type Row = Omit<UsageEventView, 'replaces' | 'replaced_by'> & {
  readonly replaces: string | null;
  readonly replaced_by: UsageEventName | null;
};

/** Latest use first, from after an event; one more than `limit` if there is another page. Both versions of what was replaced. */
export async function listUsageEvents(
  pool: Pool,
  { customer, from, id, source, tenant, to }: UsageEventFilter,
  after: UsageEventKey | undefined,
  limit: number,
): Promise<UsageEventView[]> {
  const { rows } = await pool.query<Row>(
    `select u.source, u.id, u.customer, u.batch, u.line, u.metered, u.event, u.replaces,
       to_char(u.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
       to_char(u.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as received_at,
       (select json_build_object('source', r.source, 'id', r.id) from usage_events r where r.replaces is not null
         and r.tenant || ' ' || r.replaces = u.tenant || ' ' || u.source || ' ' || u.id) as replaced_by
     from usage_events u
     where u.tenant = $1 and ($2::text is null or u.customer = $2) and ($3::text is null or u.source = $3)
       and ($4::text is null or u.id = $4) and ($5::timestamptz is null or u.occurred_at >= $5)
       and ($6::timestamptz is null or u.occurred_at < $6)
       and ($7::timestamptz is null or (u.occurred_at, u.source, u.id) < ($7, $8::text, $9::text))
     order by u.occurred_at desc, u.source desc, u.id desc limit $10`,
    [
      ...[tenant, customer ?? null, source ?? null, id ?? null, from ?? null, to ?? null],
      ...(after ?? [null, null, null]),
      limit + 1,
    ],
  );
  return rows.map(({ replaced_by, replaces, ...row }) => ({
    ...row,
    ...(replaces !== null && { replaces: nameOf(replaces) }),
    ...(replaced_by !== null && { replaced_by }),
  }));
}

/** A source has no blank in it. */
function nameOf(key: string): UsageEventName {
  const blank = key.indexOf(' ');
  return { source: key.slice(0, blank), id: key.slice(blank + 1) };
}
