/** A process that runs all projections, to be killed: `projection-worker.ts <database url>`; says `ready`. */
import { LogTail } from '../../src/base/event-store/log-tail.js';
import { ProjectionRunner } from '../../src/base/event-store/projection-runner.js';
import { createLogger } from '../../src/base/platform/logger.js';
import { openPool } from '../../src/base/platform/pool.js';
import { upcast } from '../../src/event-catalogue.js';
import { projections } from '../../src/projections.js';

const databaseUrl = process.argv[2]!;
const log = createLogger('warn', 'projection-worker');
const pool = openPool(databaseUrl, 'projection-worker', 8, log);
const tail = new LogTail(databaseUrl, log);
await tail.start();
const runners = projections.map((projection) => new ProjectionRunner(pool, tail, projection, log, upcast));
for (const runner of runners) runner.start();
process.once('SIGTERM', async () => {
  await Promise.all(runners.map((runner) => runner.stop()));
  await tail.stop();
  await pool.end();
  process.exit();
});
console.log('ready');
