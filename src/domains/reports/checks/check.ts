import type { Pool } from 'pg';
import type { Upcast } from '../../../base/event-store/event.js';

/** The book and what is known of it disagree. `where` names the row, payment or transaction as one would look it up. */
export interface Difference {
  readonly what: string;
  readonly where: string;
  readonly expected: string;
  readonly found: string;
}

/** True and worth knowing, but no mistake of the books: money that they rightly do not name, work under way. */
export type Note = Omit<Difference, 'expected'>;

export interface CheckResult {
  /** What was looked at, in the order to show it. Numbers of things, never money. */
  readonly counts: Readonly<Record<string, number>>;
  /** The first ones, in the order found. */
  readonly differences: readonly Difference[];
  readonly moreDifferences: number;
  readonly notes: readonly Note[];
  readonly moreNotes: number;
  /** What could not be compared, and why: a check with such a gap has not passed. */
  readonly gaps: readonly string[];
}

export interface CheckContext {
  /** Without a time limit for statements. */
  readonly pool: Pool;
  /** For checks that fold events; what is stored is judged as it was written. */
  readonly upcast: Upcast;
  /** Differences, and notes, that are listed; the others are counted. */
  readonly listed: number;
  /**
   * How long a disagreement with the chain may last before it counts, in milliseconds: a reorganization is noticed by the
   * workers within seconds, and a block is in the chain before it is in the log.
   */
  readonly graceMs: number;
}

/** Called now and then; `done` never exceeds `total`, which is in whatever unit the check counts. */
export type Progress = (done: number, total: number) => void;

export interface Check {
  readonly name: string;
  /** Changes nothing. Rejects if Postgres or the chain cannot be asked. */
  run(context: CheckContext, onProgress: Progress): Promise<CheckResult>;
}
