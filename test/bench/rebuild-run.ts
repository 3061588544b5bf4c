/** Rebuilds every projection, in a process of its own so that its memory is that of a rebuild: `rebuild-run.ts <database url>`. */
import { Rebuild } from '../../src/base/event-store/projections/rebuild.js';
import { openBatchPool } from '../../src/base/platform/pool.js';
import { startProgress } from '../../src/edges/cli/progress.js';
import { upcast } from '../../src/event-catalogue.js';
import { projections } from '../../src/projections.js';

export interface RebuildRun {
  /** Seconds until the rows with all their indexes had taken their place, by projection. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakMegabytes: number;
}

const pool = openBatchPool(process.argv[2]!, 'bench', 8, console);
const seconds: Record<string, number> = {};
for (const projection of projections) {
  const progress = startProgress(projection.name, 'events');
  const start = performance.now();
  const rebuild = await Rebuild.begin(pool, projection, { upcast });
  await rebuild!.fill('head', ({ done, total }) => progress.update(Number(done), Number(total)));
  await rebuild!.index();
  await rebuild!.swap();
  progress.stop();
  seconds[projection.name] = (performance.now() - start) / 1000;
}
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
process.send?.({ seconds, peakMegabytes } satisfies RebuildRun, () => process.exit(0));
