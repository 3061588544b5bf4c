import type { AccountChanged } from './accounts.js';
import type { VersionConflict } from './event.js';
import { decideHolds, type HoldTotals } from './hold-totals.js';
import type { PayerDenied } from './standings.js';
import type { Decision, GrantedHold, HoldsRefused, Write } from './unit-of-work.js';

/** Why one write of a batch is not stored. */
export type Refusal = VersionConflict | PayerDenied | AccountChanged | HoldsRefused;

export interface Decided {
  /** The writes to store, in order, and what each stores. */
  readonly live: readonly Write[];
  readonly decisions: readonly Decision[];
  /** The hard holds of each that has some. */
  readonly granted: ReadonlyMap<Write, readonly GrantedHold[]>;
  /** The totals that they change. */
  readonly changed: HoldTotals;
}

/** Decides those writes of a batch that are not refused yet, each on the holds that the ones before it left; adds its refusals. */
export function decideWrites(writes: readonly Write[], refused: Map<Write, Refusal>, totals: HoldTotals): Decided {
  const free = writes.filter((write) => !refused.has(write));
  const holds = free.map((write) => write.holds);
  const { changed, outcomes } = decideHolds(holds, totals);
  const live: Write[] = [];
  const decisions: Decision[] = [];
  const granted = new Map<Write, readonly GrantedHold[]>();
  for (const [index, write] of free.entries()) {
    const outcome = outcomes[index]!;
    if ('refused' in outcome) refused.set(write, outcome.refused);
    else {
      live.push(write);
      decisions.push(write.decide(outcome.held));
      if (outcome.granted) granted.set(write, outcome.granted);
    }
  }
  return { live, decisions, granted, changed };
}
