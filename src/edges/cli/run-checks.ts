import type { Check, CheckContext, CheckResult, Progress } from '../../domains/reports/checks/check.js';

export interface Checked {
  readonly name: string;
  readonly result: CheckResult;
  readonly milliseconds: number;
}

/** Shows how far a check is, and goes away when it is done. */
export interface ProgressDisplay {
  begin(name: string): Progress;
  end(): void;
}

/**
 * One after the other; each is told as soon as it is done. A check that cannot be run is a gap in the audit, not the end of
 * it: the others still say what they find.
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  display: ProgressDisplay,
  onChecked: (checked: Checked) => void,
): Promise<readonly Checked[]> {
  const all: Checked[] = [];
  for (const check of checks) {
    const started = performance.now();
    const result = await run(check, context, display.begin(check.name)).finally(() => display.end());
    const checked = { name: check.name, result, milliseconds: performance.now() - started };
    onChecked(checked);
    all.push(checked);
  }
  return all;
}

/** No difference and no gap: what could not be compared has not passed. */
export function passed({ result: { differences, gaps } }: Checked): boolean {
  return differences.length === 0 && gaps.length === 0;
}

async function run(check: Check, context: CheckContext, onProgress: Progress): Promise<CheckResult> {
  try {
    return await check.run(context, onProgress);
  } catch (error) {
    const gaps = [`it could not be run: ${(error as Error).message}`];
    return { counts: {}, differences: [], moreDifferences: 0, notes: [], moreNotes: 0, gaps };
  }
}
