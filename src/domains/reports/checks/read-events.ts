import type { StoredEvent } from '../../../base/event-store/event.js';
import { type EventRow, eventColumns, toStoredEvent } from '../../../base/event-store/rows.js';
import type { Snapshot } from './snapshot.js';

/** All events as they are stored, by position, in pages. */
export async function* readEvents(snapshot: Snapshot): AsyncGenerator<StoredEvent[]> {
  const text = `select ${eventColumns} from events order by events.position`;
  for await (const rows of snapshot.pages<EventRow>(text)) yield rows.map(toStoredEvent);
}

/**
 * The events of each payment up to a position as they are stored, oldest first: stream by stream in the order of their names, pages of
 * whole streams.
 */
export async function* readPayments(snapshot: Snapshot, upTo: bigint): AsyncGenerator<StoredEvent[][]> {
  const text = `select ${eventColumns} from events where stream like 'payment/%' and events.position <= $1
                order by stream, version`;
  let open: StoredEvent[] = [];
  for await (const rows of snapshot.pages<EventRow>(text, [upTo])) {
    const whole: StoredEvent[][] = [];
    for (const event of rows.map(toStoredEvent)) {
      if (open.length > 0 && open[0]!.stream !== event.stream) {
        whole.push(open);
        open = [];
      }
      open.push(event);
    }
    if (whole.length > 0) yield whole;
  }
  if (open.length > 0) yield [open];
}
