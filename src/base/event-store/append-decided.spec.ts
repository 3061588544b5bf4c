import { appendDecided } from './append-decided.js';
import { type StoredEvent, VersionConflict } from './event.js';
import type { Write } from './unit-of-work.js';

const place = { stream: 'tenant/demo', tenant: 'demo' };
const event = { type: 'Happened', schema: 1, data: {} };

/** A stream on which others are faster the first few times. */
function contested(losses: number) {
  let stored = 0;
  const versions: number[] = [];
  return {
    versions,
    readStream: async () => Array.from({ length: stored }, () => event as unknown as StoredEvent),
    async append({ expectedVersion, stream }: Write) {
      versions.push(expectedVersion);
      stored++;
      if (versions.length <= losses) throw new VersionConflict(stream, expectedVersion);
      return { version: stored, position: 1n, events: [event] };
    },
  };
}

describe('appendDecided', () => {
  it('decides again on what the faster one wrote', async () => {
    const store = contested(2);
    const seen: number[] = [];
    await appendDecided(store, place, (events) => {
      seen.push(events.length);
      return { events: [event] };
    });
    expect(seen).toEqual([0, 1, 2]);
    expect(store.versions).toEqual([0, 1, 2]);
  });

  it('gives up after fifty lost races', async () => {
    const store = contested(50);
    await expect(appendDecided(store, place, () => ({ events: [event] }))).rejects.toThrow(VersionConflict);
    expect(store.versions).toHaveLength(50);
  });

  it('writes nothing if nothing is new', async () => {
    const store = contested(0);
    await appendDecided(store, place, async () => ({ events: [] }));
    expect(store.versions).toEqual([]);
  });

  it('passes on what the rule throws', async () => {
    const refuse = () => {
      throw new Error('refused');
    };
    await expect(appendDecided(contested(0), place, refuse)).rejects.toThrow('refused');
  });
});
