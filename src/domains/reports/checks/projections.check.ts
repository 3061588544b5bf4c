import type { Projection } from '../../../base/event-store/projection-runner.js';
import { compareRebuilt } from '../../../base/event-store/projections/compare.js';
import type { Check, CheckContext, Progress } from './check.js';
import { checkpointOf } from './checkpoint.js';
import { Findings } from './findings.js';
import { inSnapshot } from './snapshot.js';

/**
 * Every row derived from events is what the events give when all of them are applied anew, the postings of the ledger
 * among them. Writes rows of its own beside the live ones, and removes them.
 */
export function projectionsCheck(projections: readonly Projection[]): Check {
  return {
    name: 'projections',
    async run({ listed, pool, upcast }: CheckContext, onProgress: Progress) {
      const findings = new Findings(listed);
      const counts = { rows: 0, projections: 0, 'events behind': 0 };
      for (const [n, projection] of projections.entries()) {
        counts['events behind'] += await look(pool, projection, findings);
        if (!(await isComparable(pool, projection, findings))) continue;
        counts.projections++;
        counts.rows += await compare({ pool, upcast }, projection, findings, (part) =>
          onProgress(n + part, projections.length),
        );
      }
      return findings.result(counts);
    },
  };
}

/** Names a projection that stopped at an event. Returns how many events it is behind. */
async function look(pool: CheckContext['pool'], { name }: Projection, findings: Findings): Promise<number> {
  const { rows } = await pool.query<{ behind: string; ahead: boolean; at: string | null; error: string | null }>(
    `select (select coalesce(max(position), 0) from events) - position as behind,
       position > (select coalesce(max(position), 0) from events) as ahead, stopped_at::text as at,
       stopped_error as error from projection_checkpoints where name = $1`,
    [name],
  );
  const row = rows[0];
  // What it has not seen would never be applied.
  if (row?.ahead) findings.differ('checkpoint', name, 'not beyond the log', `${-Number(row.behind)} events beyond it`);
  if (row?.at) findings.differ('stopped projection', `${name} at position ${row.at}`, 'every event applied', row.error);
  return Math.max(0, Number(row?.behind ?? 0));
}

function isComparable(pool: CheckContext['pool'], projection: Projection, findings: Findings): Promise<boolean> {
  return inSnapshot(pool, ['projection_checkpoints'], async (snapshot) => {
    return (await checkpointOf(snapshot, projection, findings)) !== undefined;
  });
}

/** Returns the number of rows compared. */
async function compare(
  { pool, upcast }: Pick<CheckContext, 'pool' | 'upcast'>,
  projection: Projection,
  findings: Findings,
  onPart: (part: number) => void,
): Promise<number> {
  const onProgress = ({ done, total }: { done: bigint; total: bigint }) =>
    onPart(total === 0n ? 0 : Number(done) / Number(total));
  const { tables } = await compareRebuilt(pool, projection, onProgress, upcast);
  for (const { differences, equal, liveRows, rebuiltRows, table } of tables) {
    if (equal) continue;
    if (liveRows !== rebuiltRows) findings.differ('rows', table, rebuiltRows, liveRows);
    for (const { row, side } of differences) {
      const [expected, found] = side === '+' ? [row, 'another row, or none'] : ['another row, or none', row];
      findings.differ('row', table, expected, found);
    }
  }
  return tables.reduce((sum, { liveRows }) => sum + liveRows, 0);
}
