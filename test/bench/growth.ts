/**
 * Appends to a log that holds little against appends to one that holds much, alternating:
 * `growth.ts <database url> <database url> <events in the first> <events in the second> <rounds>`.
 */
import pg from 'pg';
import { EventStore } from '../../src/base/event-store/event-store.js';
import { openPool } from '../../src/base/platform/pool.js';
import { systemClock } from '../../src/base/shared/clock.js';
import { eventsOf, fillLog } from './fill-log.js';
import { appendAll } from './store-appends.js';

/** Events per second, one number per round. */
export interface GrowthRates {
  readonly small: readonly number[];
  readonly large: readonly number[];
}

/**
 * Rounds before the timed ones. The first change of a page after a checkpoint is logged whole, so the first appends to a
 * large index cost more than those until the next checkpoint, minutes later.
 */
const WARM_ROUNDS = 6;

const [smallUrl, largeUrl] = [process.argv[2]!, process.argv[3]!];
const [small, large, rounds] = process.argv.slice(4, 7).map(Number) as [number, number, number];

for (const [url, count] of [[smallUrl, small] as const, [largeUrl, large] as const]) {
  await fillLog(url, eventsOf(count), count);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('vacuum analyze events');
  await client.query('checkpoint');
  await client.end();
}
const stores = [smallUrl, largeUrl].map((url) => new EventStore(openPool(url, 'bench', 16, console), systemClock));
const rates = { small: [] as number[], large: [] as number[] };
for (let round = 0; round < WARM_ROUNDS + rounds; round++) {
  const pair = [await appendAll(stores[0]!, round), await appendAll(stores[1]!, round)] as const;
  if (round < WARM_ROUNDS) continue;
  rates.small.push(pair[0]);
  rates.large.push(pair[1]);
}
process.send?.(rates satisfies GrowthRates, () => process.exit(0));
