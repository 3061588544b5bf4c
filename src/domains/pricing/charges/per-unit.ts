import { z } from 'zod';
import { divideUp, type Fraction, whole } from '../fraction.js';
import { amount, count } from '../tariff-fields.js';
import { counted } from './counted.js';

/** `amount` buys `per` units. A started package counts whole, unless the charge is `prorated`. */
export const perUnitSchema = z.strictObject({
  model: z.literal('per_unit'),
  amount,
  per: count(1),
  /** The exact share of `amount`, for prices such as 3 dollars per million tokens. */
  prorated: z.boolean().optional(),
  ...counted,
});

/** Package pricing: the same rule under the name it is looked for. `amount` buys a package of `per` units. */
export const packageSchema = z.strictObject({ model: z.literal('package'), amount, per: count(2), ...counted });

export interface Rate {
  readonly amount: bigint;
  readonly per: bigint;
  readonly prorated?: boolean;
}

/** Price of so many units. */
export function perUnitPrice({ amount, per, prorated }: Rate, units: bigint): Fraction {
  if (prorated) return { numerator: units * amount, denominator: per };
  return whole(packagesOf(units, per) * amount);
}

export function packagesOf(units: bigint, per: bigint): bigint {
  return divideUp(units, per);
}
