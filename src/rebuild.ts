import { runCommand } from './edges/cli/command.js';
import { openBook } from './edges/cli/open-book.js';
import { startProgress } from './edges/cli/progress.js';
import { parseRebuildOptions } from './edges/cli/rebuild-options.js';
import { type RebuildOutcome, type RebuildRequest, rebuildProjections } from './edges/cli/rebuild-projection.js';
import { isInOrder, outcomesAsJson, renderOutcome } from './edges/cli/rebuild-report.js';
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
  const wanted = projections.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const outcomes: RebuildOutcome[] = [];
  const progress = startProgress(wanted.map(({ name }) => name).join(', '), 'events');
  const request: RebuildRequest = {
    upcast,
    dryRun: options.dryRun,
    signal: interrupted.signal,
    onProgress: ({ done, total }) => progress.update(Number(done), Number(total)),
  };
  try {
    await rebuildProjections(book.pool, wanted, request, (outcome) => outcomes.push(outcome));
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    progress.stop();
    await book.close();
  }
  if (!options.json) for (const outcome of outcomes) console.log(renderOutcome(outcome));
  if (options.json) console.log(outcomesAsJson(outcomes));
  return outcomes.every(isInOrder) ? 0 : 1;
}

await runCommand(main);
