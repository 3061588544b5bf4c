/** Rebuilding all projections against a raw insert of the same rows: `rebuild.ts <database url> <events>`. */
import { projections } from '../../src/projections.js';
import { eventsOf, fillLog } from './fill-log.js';
import { BenchProcess } from './processes.js';
import { insertRaw } from './raw-rows.js';
import type { RebuildRun } from './rebuild-run.js';

export interface RebuildRates {
  readonly projections: readonly {
    readonly name: string;
    readonly rows: number;
    readonly seconds: number;
    readonly rawSeconds: number;
  }[];
  readonly peakMegabytes: number;
}

const [url, events] = [process.argv[2]!, Number(process.argv[3])];

await fillLog(url, eventsOf(events), events);
const { peakMegabytes, seconds } = await BenchProcess.start('rebuild-run.ts', url).receive<RebuildRun>();
const rates: RebuildRates['projections'][number][] = [];
for (const { name, tables } of projections) {
  const raw = await insertRaw(url, tables);
  rates.push({ name, rows: raw.rows, seconds: seconds[name]!, rawSeconds: raw.seconds });
}
process.send?.({ projections: rates, peakMegabytes } satisfies RebuildRates, () => process.exit(0));
