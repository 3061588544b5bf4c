import { isDeepStrictEqual } from 'node:util';
import { DatabaseError, type PoolClient } from 'pg';
import type { NewEvent, StoredEvent } from './event.js';
import { type EventRow, eventColumns, toStoredEvent } from './rows.js';
import { ofStreams } from './stream-key.js';
import type { Appended, Write } from './unit-of-work.js';

/** SQLSTATE 57P01 to 57P03: the server ends the connection, whatever it was doing. */
const SERVER_LEAVES = /^57P/;

/** What was tried to be stored for each write, by attempts whose commit got no answer: it may have happened. */
export type Unanswered = Map<Write, (readonly NewEvent[])[]>;

/** True if the connection was lost, so that nobody said what became of the statements on it. */
export function isUnanswered(error: unknown): boolean {
  return !(error instanceof DatabaseError) || SERVER_LEAVES.test(error.code ?? '');
}

export function remember(unanswered: Unanswered, write: Write, events: readonly NewEvent[]): void {
  const attempts = unanswered.get(write);
  if (attempts) attempts.push(events);
  else unanswered.set(write, [events]);
}

/**
 * Which of the writes turn out to have been stored by an attempt without an answer: their streams go on with just what
 * was tried. No clock and no id tells attempts apart; an equal event of another writer says the same and counts as well.
 */
export async function findStored(
  client: PoolClient,
  writes: readonly Write[],
  unanswered: Unanswered,
): Promise<Map<Write, Appended>> {
  const found = new Map<Write, Appended>();
  const asked = writes.filter((write) => unanswered.has(write));
  if (asked.length === 0) return found;
  const { rows } = await client.query<EventRow>({
    name: 'find-stored',
    text: `select ${eventColumns} from events where ${ofStreams} order by stream, version`,
    values: [asked.map(({ stream }) => stream)],
  });
  const stored = rows.map(toStoredEvent);
  for (const write of asked) {
    const after = stored.filter(({ stream, version }) => stream === write.stream && version > write.expectedVersion);
    const events = unanswered.get(write)!.find((tried) => startsWith(after, tried));
    const last = events && after[events.length - 1];
    if (last) found.set(write, { events, version: last.version, position: last.position });
  }
  return found;
}

function startsWith(stored: readonly StoredEvent[], tried: readonly NewEvent[]): boolean {
  return tried.every(({ data, schema, type }, index) => {
    const one = stored[index];
    // What was stored went through JSON, which leaves out what is undefined.
    return one?.type === type && one.schema === schema && isDeepStrictEqual(one.data, JSON.parse(JSON.stringify(data)));
  });
}
