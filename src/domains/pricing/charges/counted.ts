import { z } from 'zod';
import { conditionSchema } from '../condition.js';
import { quantitySchema } from '../request/quantity.schemas.js';
import { amount, count } from '../tariff-fields.js';

/** Members of every charge: when it applies, and what bounds what it adds. */
export const common = {
  when: conditionSchema.optional(),
  minimum: amount.optional(),
  maximum: amount.optional(),
};

/** Members of every charge that counts units. */
export const counted = {
  ...common,
  quantity: quantitySchema,
  /** Units that cost nothing, the first ones. */
  included: count(0).optional(),
  /**
   * What included units and tiers are counted over. Over the `period`, a request pays the difference that it makes to
   * the price of all the payer's units so far, so the sum is the price of the total, in whatever order requests come.
   */
  over: z.enum(['request', 'period']).default('request'),
};
