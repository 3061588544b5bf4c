import { Problem } from '../shared/problem.js';
import type { Decision } from './unit-of-work.js';

/**
 * What a conditional write must find (RFC 9110 section 13.1): nothing, something, or something at one of these versions of
 * its stream. `unstated` creates, but does not overwrite.
 */
export type Expected = 'nothing' | 'something' | 'unstated' | readonly number[];

/** What a write came to. */
export interface Written {
  /** Nothing was there before. */
  readonly created: boolean;
}

/** What a write found when it was decided. */
export interface Found {
  /** Of the stream: how many events it has. */
  readonly version: number;
  /** False also for what was there and is gone. */
  readonly exists: boolean;
}

/**
 * Call it with what was decided, and with the version at which that will be appended: then nobody can come in between. A
 * decision that changes nothing stands in any case, because it looks as if it had been carried out already (RFC 9110 section
 * 13.1.1), and so a repeat after a lost answer is no conflict.
 *
 * @throws Problem `precondition_failed`, `precondition_required`
 */
export function assertExpected(expected: Expected | undefined, { exists, version }: Found, decision: Decision): void {
  if (expected === undefined || decision.events.length === 0) return;
  if (expected === 'unstated' && exists) throw new Problem('precondition_required');
  if (expected === 'unstated') return;
  const wanted = expected === 'nothing' ? !exists : exists && (expected === 'something' || expected.includes(version));
  if (!wanted) throw new Problem('precondition_failed');
}
