/** Rebuilding all projections against a raw insert of the same rows: `rebuild.ts <database url> <events>`. */
import { projections } from '../../src/projections.js';
import { eventsOf, fillLog } from './fill-log.js';
import { BenchProcess } from './processes.js';
import { insertRaw } from './raw-rows.js';
import type { RebuildRun } from './rebuild-run.js';

export interface RebuildRates extends RebuildRun {
  readonly events: number;
  /** The same rows inserted raw. */
  readonly raw: readonly { readonly name: string; readonly rows: number; readonly seconds: number }[];
}

const [url, events] = [process.argv[2]!, Number(process.argv[3])];

await fillLog(url, eventsOf(events), events);
const run = await BenchProcess.start('rebuild-run.ts', url).receive<RebuildRun>();
const raw: RebuildRates['raw'][number][] = [];
for (const { name, tables } of projections) raw.push({ name, ...(await insertRaw(url, tables)) });
process.send?.({ ...run, events, raw } satisfies RebuildRates, () => process.exit(0));
