import { z } from 'zod';
import { quantitySchema } from '../request/quantity.schemas.js';
import { amount } from '../tariff-fields.js';
import { common } from './counted.js';

/**
 * The price itself is stated, by the caller or by the upstream, in atomic units; never outside the bounds. (A stated
 * quantity is no dynamic price: any charge can count one.)
 */
export const dynamicSchema = z.strictObject({
  model: z.literal('dynamic'),
  price: quantitySchema,
  ...common,
  minimum: amount,
  maximum: amount,
});
