import { z } from 'zod';
import { add, type Fraction, whole, ZERO } from '../fraction.js';
import { amount, count } from '../tariff-fields.js';
import { counted } from './counted.js';
import { perUnitPrice } from './per-unit.js';
import { type Tier, tiersOf, unitsByTier } from './tiers.js';

/** A tier as charges by the unit write it. */
export const unitTier = z.strictObject({
  upTo: count(1).optional(),
  amount,
  per: count(1).default(1n),
  flat: amount.optional(),
});

/** Each unit pays the price of the tier that it falls into. */
export const graduatedSchema = z.strictObject({
  model: z.literal('graduated'),
  tiers: tiersOf(unitTier),
  prorated: z.boolean().optional(),
  ...counted,
});

/** Price of so many units. It never falls as they rise. */
export function graduatedPrice(tiers: readonly Tier[], prorated: boolean | undefined, units: bigint): Fraction {
  let sum = ZERO;
  unitsByTier(tiers, units).forEach((within, index) => {
    if (within === 0n) return;
    const { amount, flat = 0n, per } = tiers[index]!;
    sum = add(sum, add(whole(flat), perUnitPrice({ amount, per, prorated }, within)));
  });
  return sum;
}
