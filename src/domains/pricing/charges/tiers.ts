import { z } from 'zod';
import { LIST_MAX } from '../tariff-fields.js';

/** A range of units, from the end of the one before. */
export interface Tier {
  /** Its last unit; absent for the last tier. */
  readonly upTo?: bigint;
  readonly amount: bigint;
  readonly per: bigint;
  /** Once, as soon as one unit falls into the tier. */
  readonly flat?: bigint;
}

/** Tiers follow on each other without gap or overlap, because each begins where the one before ends. */
export function tiersOf<T extends z.ZodType<{ upTo?: bigint }>>(tier: T) {
  return z
    .array(tier)
    .min(1)
    .max(LIST_MAX)
    .superRefine((tiers, context) => {
      tiers.forEach(({ upTo }, index) => {
        const problem = orderProblem(upTo, tiers[index - 1]?.upTo, index === tiers.length - 1);
        if (problem !== undefined) context.addIssue({ code: 'custom', path: [index, 'upTo'], message: problem });
      });
    });
}

function orderProblem(upTo: bigint | undefined, before: bigint | undefined, last: boolean): string | undefined {
  if (last) return upTo === undefined ? undefined : 'the last tier has no end, or there would be units without a price';
  if (upTo === undefined) return 'only the last tier has no end';
  return before !== undefined && upTo <= before
    ? 'tiers rise: this one ends where the one before does, or earlier'
    : undefined;
}

/** Units of each tier among the first `units`. */
export function unitsByTier(tiers: readonly { readonly upTo?: bigint }[], units: bigint): readonly bigint[] {
  let below = 0n;
  return tiers.map(({ upTo }) => {
    const end = upTo === undefined || units < upTo ? units : upTo;
    const within = end > below ? end - below : 0n;
    if (upTo !== undefined) below = upTo;
    return within;
  });
}
