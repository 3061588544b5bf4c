import { z } from 'zod';
import { tiersOf } from '../charges/tiers.js';
import { conditionSchema } from '../condition.js';
import { count, permille } from '../tariff-fields.js';

/**
 * A factor by what the payer used in the period so far. A request is priced whole by the tier that its first unit falls
 * into; graduated charges over the period split it.
 */
export const volumeDiscountSchema = z.strictObject({
  kind: z.literal('volume'),
  tiers: tiersOf(z.strictObject({ upTo: count(1).optional(), permille })),
  when: conditionSchema.optional(),
});

export function volumePermille({ tiers }: z.output<typeof volumeDiscountSchema>, used: bigint): bigint {
  return tiers.find(({ upTo }) => upTo === undefined || used < upTo)!.permille;
}
