import { z } from 'zod';
import { conditionSchema } from '../condition.js';
import { count } from '../tariff-fields.js';

const NEUTRAL = 1000n;

/**
 * A surge: the factor is 1000 while the load is at most `from`, rises in a straight line, and is `permille` from the
 * load `to` on. It never falls as the load rises, and it is never above `permille`.
 */
export const loadSchema = z
  .strictObject({
    kind: z.literal('load'),
    from: z.int().min(0).max(10_000),
    to: z.int().min(1).max(10_000),
    permille: count(1000),
    when: conditionSchema.optional(),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'is above from' });

/** Whole permille, rounded down. @param load permille of the upstream's concurrency in use */
export function loadPermille({ from, permille, to }: z.output<typeof loadSchema>, load: number): bigint {
  if (load <= from) return NEUTRAL;
  if (load >= to) return permille;
  return NEUTRAL + ((permille - NEUTRAL) * BigInt(Math.floor(load) - from)) / BigInt(to - from);
}
