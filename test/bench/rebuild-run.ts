/** Rebuilds all projections, in a process of its own so that its memory is that of a rebuild: `rebuild-run.ts <database url>`. */
import { fillTogether } from '../../src/base/event-store/projections/fill-together.js';
import { Rebuild } from '../../src/base/event-store/projections/rebuild.js';
import { openBatchPool } from '../../src/base/platform/pool.js';
import { startProgress } from '../../src/edges/cli/progress.js';
import { upcast } from '../../src/event-catalogue.js';
import { projections } from '../../src/projections.js';

export interface RebuildRun {
  /** Until all rows with all their indexes had taken the place of the live ones. */
  readonly seconds: number;
  readonly peakMegabytes: number;
}

const pool = openBatchPool(process.argv[2]!, 'bench', 8, console);
const progress = startProgress('rebuild', 'events');
const start = performance.now();
const rebuilds: Rebuild[] = [];
for (const projection of projections) rebuilds.push((await Rebuild.begin(pool, projection, { upcast }))!);
const head = await rebuilds[0]!.target('head');
const onProgress = ({ done, total }: { done: bigint; total: bigint }) => progress.update(Number(done), Number(total));
await fillTogether(pool, rebuilds, head, { upcast, onProgress });
for (const rebuild of rebuilds) {
  await rebuild.index();
  await rebuild.swap();
}
const seconds = (performance.now() - start) / 1000;
progress.stop();
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
process.send?.({ seconds, peakMegabytes } satisfies RebuildRun, () => process.exit(0));
