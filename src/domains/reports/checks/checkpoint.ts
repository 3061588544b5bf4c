import type { Projection } from '../../../base/event-store/projection-runner.js';
import type { Findings } from './findings.js';
import type { Snapshot } from './snapshot.js';

/**
 * Up to which position a projection's rows say what the events say, in this snapshot. `undefined`, and a gap among the
 * findings, if the rows were made by another version of the projection and cannot be judged by this one.
 */
export async function checkpointOf(
  snapshot: Snapshot,
  { name, version }: Pick<Projection, 'name' | 'version'>,
  findings: Findings,
): Promise<bigint | undefined> {
  const [row] = await snapshot.query<{ version: number; position: string }>(
    'select version, position::text from projection_checkpoints where name = $1',
    [name],
  );
  if (row === undefined) return 0n;
  if (row.version === version) return BigInt(row.position);
  findings.gap(`the rows of projection ${name} have version ${row.version}; this program knows ${version}`);
  return undefined;
}
