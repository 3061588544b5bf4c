import type { Check, CheckContext, CheckResult, Progress as OnProgress } from '../../domains/reports/checks/check.js';
import type { Progress } from './progress.js';

export interface Checked {
  readonly name: string;
  readonly result: CheckResult;
  readonly milliseconds: number;
}

/**
 * One after the other; each is told as soon as it is done. A check that cannot be run is a gap in the audit, not the end of
 * it: the others still say what they find.
 *
 * @param start shows how far a check is, from its name on until it stops
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  start: (name: string) => Progress,
  onChecked: (checked: Checked) => void,
): Promise<readonly Checked[]> {
  const all: Checked[] = [];
  for (const check of checks) {
    const startedAt = performance.now();
    const progress = start(check.name);
    const result = await run(check, context, (done, total) => progress.update(done, total));
    progress.stop();
    const checked = { name: check.name, result, milliseconds: performance.now() - startedAt };
    onChecked(checked);
    all.push(checked);
  }
  return all;
}

/** No difference and no gap: what could not be compared has not passed. */
export function passed({ result: { differences, gaps } }: Checked): boolean {
  return differences.length === 0 && gaps.length === 0;
}

async function run(check: Check, context: CheckContext, onProgress: OnProgress): Promise<CheckResult> {
  try {
    return await check.run(context, onProgress);
  } catch (error) {
    const gaps = [`it could not be run: ${(error as Error).message}`];
    return { counts: {}, differences: [], moreDifferences: 0, notes: [], moreNotes: 0, gaps };
  }
}
