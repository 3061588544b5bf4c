import { z } from 'zod';
import { amount, count, percent } from '../tariff-fields.js';
import { counted } from './counted.js';
import { type Tier, tiersOf } from './tiers.js';

/** Each part of a value pays the percentage of the tier that it falls into: graduated, with exact shares as rates. */
export const graduatedPercentageSchema = z.strictObject({
  model: z.literal('graduated_percentage'),
  tiers: tiersOf(z.strictObject({ upTo: count(1).optional(), percent, flat: amount.optional() })),
  ...counted,
});

type PercentTier = z.output<typeof graduatedPercentageSchema>['tiers'][number];

export function tierOfPercent({ flat, percent: { denominator, numerator }, upTo }: PercentTier): Tier {
  return { upTo, amount: numerator, per: denominator, flat };
}
