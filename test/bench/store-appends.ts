import { createHash } from 'node:crypto';
import { NEW_STREAM, type NewEvent } from '../../src/base/event-store/event.js';
import type { EventStore } from '../../src/base/event-store/event-store.js';
import { sampleEvents } from './sample-events.js';

const STREAMS = 10_000;
/** As many writers at once as a busy gateway has requests between admission and delivery. */
const CALLERS = 1_000;
export const TENANT = 'demo';

export interface SampleStream {
  readonly stream: string;
  readonly events: readonly [NewEvent, NewEvent];
}

/** Streams of one round, named as payments are: by a digest, so that their index is written all over. */
export function streamsOf(round: number): SampleStream[] {
  return Array.from({ length: STREAMS }, (_, index) => {
    const number = round * STREAMS + index;
    const id = createHash('sha256').update(`bench ${number}`).digest('hex').slice(0, 32);
    return { stream: `payment/pay_${id}`, events: sampleEvents(number) };
  });
}

/** Every stream gets its two events one after the other, as a payment does. Resolves to events per second. */
export async function appendAll(store: EventStore, round: number): Promise<number> {
  const streams = streamsOf(round);
  let taken = 0;
  const caller = async () => {
    for (let index = taken++; index < streams.length; index = taken++) {
      const { stream, events } = streams[index]!;
      for (const [version, event] of events.entries()) {
        await store.append({
          stream,
          tenant: TENANT,
          expectedVersion: NEW_STREAM + version,
          decide: () => ({ events: [event] }),
        });
      }
    }
  };
  return perSecond(streams.length * 2, () => Promise.all(Array.from({ length: CALLERS }, caller)));
}

/** How many of them a second. */
export async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (count * 1000) / (performance.now() - start);
}
