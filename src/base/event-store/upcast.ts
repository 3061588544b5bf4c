import type { StoredEvent, Upcast } from './event.js';

/** Lifts the data of one type from one schema version to the next. */
export interface UpcastStep {
  readonly type: string;
  /** The schema version it reads; it makes `from + 1`. */
  readonly from: number;
  /** Pure, and total for everything that ever fitted the shape of `from`. */
  data(old: StoredEvent['data']): StoredEvent['data'];
}

/** An event that a newer Tollbook wrote. Guessing what it means could make the books wrong, so reading stops. */
export class UnknownEventVersion extends Error {
  constructor(event: Pick<StoredEvent, 'type' | 'schema' | 'position'>, newest: number) {
    super(
      `${event.type} at position ${event.position} has schema version ${event.schema}, but this program knows ` +
        `versions up to ${newest}: it was written by a newer Tollbook`,
    );
  }
}

/**
 * One function for all types: an event of version n goes through the steps n, n + 1, … of its type. A type without
 * steps has one version.
 *
 * @throws if two steps of a type start at the same version, or one is missing
 */
export function upcasterOf(steps: readonly UpcastStep[]): Upcast {
  const chains = chainsOf(steps);
  return (event) => {
    const chain = chains.get(event.type) ?? [];
    const newest = chain.length + 1;
    if (event.schema === newest) return event;
    if (event.schema > newest) throw new UnknownEventVersion(event, newest);
    const data = chain.slice(event.schema - 1).reduce((old, step) => step.data(old), event.data);
    return { ...event, schema: newest, data };
  };
}

function chainsOf(steps: readonly UpcastStep[]): ReadonlyMap<string, readonly UpcastStep[]> {
  const chains = new Map<string, UpcastStep[]>();
  for (const step of steps) chains.set(step.type, [...(chains.get(step.type) ?? []), step]);
  for (const [type, chain] of chains) {
    chain.sort((a, b) => a.from - b.from);
    const wrong = chain.findIndex((step, index) => step.from !== index + 1);
    if (wrong >= 0) throw new Error(`the steps of ${type} must start at versions 1, 2, …, once each`);
  }
  return chains;
}
