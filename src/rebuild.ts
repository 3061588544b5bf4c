import { openBook } from './edges/cli/open-book.js';
import { startProgress } from './edges/cli/progress.js';
import { parseRebuildOptions } from './edges/cli/rebuild-options.js';
import { rebuildProjection } from './edges/cli/rebuild-projection.js';
import { isInOrder, outcomesAsJson, type RebuildOutcome, renderOutcome } from './edges/cli/rebuild-report.js';
import { UsageError } from './edges/cli/usage-error.js';
import { upcast } from './event-catalogue.js';
import { projections } from './projections.js';

const INTERRUPTED = 130;

/**
 * `npm run rebuild`: makes all projections anew from the events, also beside a running Tollbook, and compares.
 *
 * @returns the exit code: 0 if all were rebuilt and equal, 1 if not, 130 if interrupted
 */
async function main(): Promise<number> {
  const names = projections.map(({ name }) => name);
  const options = parseRebuildOptions(process.argv.slice(2), names);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  const book = await openBook(process.env, (line) => console.error(line));
  const outcomes: RebuildOutcome[] = [];
  try {
    for (const projection of projections) {
      if (options.only.length > 0 && !options.only.includes(projection.name)) continue;
      const progress = startProgress(projection.name, 'events');
      const outcome = await rebuildProjection(book.pool, projection, {
        upcast,
        dryRun: options.dryRun,
        signal: interrupted.signal,
        onProgress: ({ done, total }) => progress.update(Number(done), Number(total)),
      }).catch((error: Error): RebuildOutcome => ({ name: projection.name, error: error.message }));
      progress.stop();
      if (interrupted.signal.aborted) return INTERRUPTED;
      if (!options.json) console.log(renderOutcome(outcome));
      outcomes.push(outcome);
    }
  } finally {
    await book.close();
  }
  if (options.json) console.log(outcomesAsJson(outcomes));
  return outcomes.every(isInOrder) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
