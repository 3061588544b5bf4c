import { z } from 'zod';
import type { Fraction } from '../fraction.js';
import { percent } from '../tariff-fields.js';
import { counted } from './counted.js';

/** A share of a value in atomic units, such as of an order that the request states (`field` with `decimals`). */
export const percentageSchema = z.strictObject({ model: z.literal('percentage'), percent, ...counted });

export function percentagePrice({ denominator, numerator }: Fraction, value: bigint): Fraction {
  return { numerator: value * numerator, denominator };
}
