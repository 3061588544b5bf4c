import type { StoredEvent } from '../../../base/event-store/event.js';
import type { Check, CheckContext, Progress } from './check.js';
import { Findings } from './findings.js';
import { readEvents } from './read-events.js';
import { inSnapshot } from './snapshot.js';

/** What is wrong with the shape of an event as it is stored; `undefined` if it is one of the catalogue's. */
export type CheckShape = (event: StoredEvent) => string | undefined;

/** Every event is of a known type and version and parses by its schema. */
export function shapesCheck(checkShape: CheckShape): Check {
  return {
    name: 'shapes',
    run: ({ listed, pool }: CheckContext, onProgress: Progress) =>
      inSnapshot(pool, [], async (snapshot) => {
        const findings = new Findings(listed);
        const types = new Set<string>();
        let events = 0;
        for await (const page of readEvents(snapshot)) {
          for (const event of page) {
            const problem = checkShape(event);
            const shape = `${event.type} version ${event.schema}`;
            if (problem !== undefined) findings.differ('not its shape', `position ${event.position}`, shape, problem);
            types.add(shape);
          }
          events += page.length;
          onProgress(events, Number(snapshot.head));
        }
        return findings.result({ events, shapes: types.size });
      }),
  };
}
