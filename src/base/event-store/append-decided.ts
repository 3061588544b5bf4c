import { type StoredEvent, VersionConflict } from './event.js';
import type { EventStore } from './event-store.js';
import type { Decision, Write } from './unit-of-work.js';

/** A lost race is tried again at once; somebody has won each of them. */
const ATTEMPTS_MAX = 50;

/**
 * Loads a stream, lets `decide` say what is new, and appends it at the version it was decided on. A lost race is decided
 * again from scratch.
 *
 * @throws VersionConflict if somebody else was faster each time
 */
export async function appendDecided(
  store: Pick<EventStore, 'append' | 'readStream'>,
  place: Pick<Write, 'stream' | 'tenant' | 'changesStandings'>,
  decide: (events: readonly StoredEvent[]) => Decision | Promise<Decision>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const events = await store.readStream(place.stream);
    const decision = await decide(events);
    if (decision.events.length === 0) return;
    try {
      await store.append({ ...place, expectedVersion: events.length, decide: () => decision });
      return;
    } catch (error) {
      if (!(error instanceof VersionConflict) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
