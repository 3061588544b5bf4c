import { z } from 'zod';
import { add, type Fraction, isLess, whole, ZERO } from '../fraction.js';
import { counted } from './counted.js';
import { unitTier } from './graduated.js';
import { perUnitPrice } from './per-unit.js';
import { type Tier, tiersOf } from './tiers.js';

/** All units pay the price of the tier that the last of them falls into. */
export const volumeSchema = z.strictObject({
  model: z.literal('volume'),
  tiers: tiersOf(unitTier),
  prorated: z.boolean().optional(),
  ...counted,
});

/** Price of so many units. At the edge of a cheaper tier it falls, as volume prices do. */
export function volumePrice(tiers: readonly Tier[], prorated: boolean | undefined, units: bigint): Fraction {
  if (units === 0n) return ZERO;
  const { amount, flat = 0n, per } = tiers.find(({ upTo }) => upTo === undefined || units <= upTo)!;
  return add(whole(flat), perUnitPrice({ amount, per, prorated }, units));
}

/**
 * The highest price of so many units or fewer. Over a period nothing that was paid is given back: past an edge further
 * units are free until the lower price of all has caught up.
 */
export function risingVolumePrice(tiers: readonly Tier[], prorated: boolean | undefined, units: bigint): Fraction {
  let highest = volumePrice(tiers, prorated, units);
  for (const { upTo } of tiers) {
    if (upTo === undefined || upTo >= units) break;
    const atEdge = volumePrice(tiers, prorated, upTo);
    if (isLess(highest, atEdge)) highest = atEdge;
  }
  return highest;
}
