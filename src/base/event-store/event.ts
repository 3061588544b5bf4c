import type { JsonObject } from '../shared/json.js';

/** A fact to append. `type` is a literal, `schema` its version; both are for ever. */
export interface NewEvent {
  readonly type: string;
  readonly schema: number;
  readonly data: object;
}

export interface StoredEvent {
  /** Dense and in commit order: a reader at position p has seen everything up to p. */
  readonly position: bigint;
  readonly stream: string;
  /** 1 for the first event of a stream. */
  readonly version: number;
  readonly type: string;
  readonly schema: number;
  readonly tenant: string;
  readonly data: JsonObject;
  readonly occurredAt: Date;
}

/** Lifts an event of an old schema version to the newest one; events are stored as they were written, for ever. */
export type Upcast = (event: StoredEvent) => StoredEvent;

/** For readers that want what was written, as seals do. */
export const asStored: Upcast = (event) => event;

/** Expected version of a stream that must not exist yet. */
export const NEW_STREAM = 0;

/** The stream is not at the expected version: somebody else was first. */
export class VersionConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expected: number,
  ) {
    super(`stream ${stream} is not at version ${expected}`);
  }
}
