import type { PoolClient } from 'pg';
import { canonicalJson } from '../../base/shared/json.js';
import type { UsageRow } from './usage-row.js';

/** Lists come as lines, which no value can hold: that costs less than array literals, whose items are quoted and escaped. */
const INSERT = `with stored as (
    insert into usage_events (tenant, source, id, batch, line, customer, occurred_at, received_at, replaces, metered, event, leaf)
    select $1, e.source, e.id, $2::uuid, e.line, e.customer, e.at::timestamptz, $3::timestamptz, nullif(e.replaces, ''),
      e.metered::jsonb, e.event, decode(e.leaf, 'hex')
    from unnest(string_to_array($4, e'\\n'), string_to_array($5, e'\\n'), string_to_array($6, e'\\n'),
      string_to_array($7, e'\\n'), string_to_array($8, e'\\n'), string_to_array($9, e'\\n'), string_to_array($10, e'\\n'), string_to_array($11, e'\\n'))
      with ordinality as e (source, id, customer, at, replaces, metered, event, leaf, line)
    on conflict do nothing returning line)
  select count(*)::int as count, case when count(*) < $12::int then array_agg(line) end as lines from stored`;

/** Stores what is not there yet, and says of each row by its index whether it did; lines count from 1. */
export async function insertEvents(
  client: PoolClient,
  tenant: string,
  batch: string,
  rows: readonly UsageRow[],
  leaves: readonly Buffer[],
): Promise<(index: number) => boolean> {
  if (rows.length === 0) return () => false;
  const lines = (pick: (row: UsageRow) => string) => rows.map(pick).join('\n');
  const { rows: answer } = await client.query<{ count: number; lines: number[] | null }>({
    name: 'usage-insert',
    text: INSERT,
    values: [
      ...[tenant, batch, rows[0]!.receivedAt],
      lines(({ source }) => source),
      lines(({ id }) => id),
      lines(({ customer }) => customer),
      lines(({ at }) => at),
      lines(({ replaces }) => replaces ?? ''),
      lines(({ metered }) => canonicalJson(metered)),
      lines(({ event }) => event),
      leaves.map((leaf) => leaf.toString('hex')).join('\n'),
      rows.length,
    ],
  });
  const [{ count, lines: some }] = answer as [{ count: number; lines: number[] | null }];
  if (count === rows.length) return () => true;
  const stored = new Set(some);
  return (index) => stored.has(index + 1);
}

/** The events of these names that are stored, as they were sent, by `source id`. */
export async function findEvents(
  client: PoolClient,
  tenant: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const parts = keys.map((key) => [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)] as const);
  const { rows } = await client.query<{ key: string; event: string }>({
    name: 'usage-find',
    text: `select source || ' ' || id as key, event from usage_events
           where tenant = $1 and (source, id) in (select * from unnest($2::text[], $3::text[]))`,
    values: [tenant, parts.map(([source]) => source), parts.map(([, id]) => id)],
  });
  return new Map(rows.map(({ event, key }) => [key, event]));
}
