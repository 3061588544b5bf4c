import pg from 'pg';
import { startProgress } from '../../src/edges/cli/progress.js';
import { generatedLog, insertLog, type LogRow } from '../support/generated-log.js';

/** A payment leaves this many events or fewer; enough payments are generated to cut the log where it is wanted. */
const EVENTS_PER_PAYMENT = 3;

/** The first so many events of a generated log. */
export function* eventsOf(count: number): Generator<LogRow> {
  let left = count;
  for (const row of generatedLog({ payments: Math.ceil(count / EVENTS_PER_PAYMENT) })) {
    if (left-- === 0) return;
    yield row;
  }
}

/** Writes them with a bar on a terminal: millions take minutes. */
export async function fillLog(url: string, rows: Iterable<LogRow>, total: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const progress = startProgress('log', 'events');
  try {
    await insertLog(
      client,
      counted(rows, (count) => progress.update(count, total)),
    );
  } finally {
    progress.stop();
    await client.end();
  }
}

function* counted<T>(items: Iterable<T>, onCount: (count: number) => void): Generator<T> {
  let count = 0;
  for (const item of items) {
    if (++count % 10_000 === 0) onCount(count);
    yield item;
  }
}
