import { rootOf, type UsageRow } from '../../metering/usage-row.js';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';
import { inSnapshot } from './snapshot.js';

interface Line {
  /** Of the row, or of the event if there is no row of it. */
  readonly batch: string;
  readonly tenant: string;
  readonly line: number | null;
  /** What the log says of the batch; `null` if it says nothing. */
  readonly events: number | null;
  readonly root: string | null;
  readonly row: UsageRow;
}

/** Rows of a batch that the log knows under another tenant are rows without a batch, and the other way round. */
const LINES = `
  with said as (
    select tenant, (data->>'batch')::uuid as batch, (data->>'events')::int as events, data->>'root' as root
    from events where type = 'UsageIngested')
  select batch::text, tenant, u.line, said.events, said.root,
    json_build_object('source', u.source, 'id', u.id, 'customer', u.customer,
      'at', to_char(u.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'receivedAt', to_char(u.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'replaces', u.replaces, 'metered', u.metered, 'event', u.event) as row
  from said full join usage_events u using (tenant, batch)
  order by batch, tenant, u.line`;

/** Usage events are those that were acknowledged, unchanged: what the log says of each batch, and so its seals, follows from its rows. */
export const usageCheck: Check = {
  name: 'usage',
  run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
    inSnapshot(pool, ['usage_events'], async (snapshot) => {
      const findings = new Findings(listed);
      const [{ total }] = (await snapshot.query<{ total: number }>(
        'select count(*)::int as total from usage_events',
      )) as [{ total: number }];
      const counts = { batches: 0, events: 0 };
      let batch: Line[] = [];
      const close = () => {
        if (batch.length === 0) return;
        counts.batches++;
        judge(findings, batch);
        batch = [];
      };
      for await (const lines of snapshot.pages<Line>(LINES)) {
        for (const line of lines) {
          if (batch[0] && (batch[0].batch !== line.batch || batch[0].tenant !== line.tenant)) close();
          batch.push(line);
          if (line.line !== null) counts.events++;
        }
        onProgress(Math.min(counts.events, total), total);
      }
      close();
      return findings.result(counts);
    }),
};

function judge(findings: Findings, lines: readonly Line[]): void {
  const [{ batch, events, root, tenant }] = lines as [Line];
  const where = `${tenant} batch ${batch}`;
  const rows = lines.filter(({ line }) => line !== null).map(({ row }) => row);
  if (root === null) findings.differ('usage events that nobody sent', where, 'none', rows.length);
  else if (rows.length !== events) findings.differ('usage events', where, events, rows.length);
  else if (rootOf(rows) !== root) findings.differ('digest of usage events', where, root, rootOf(rows));
}
