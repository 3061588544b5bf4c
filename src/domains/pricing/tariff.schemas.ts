import { z } from 'zod';
import { chargeSchema } from './charges/charge.js';
import { modifierSchema } from './modifiers/modifier.js';
import { amount, LIST_MAX, meter } from './tariff-fields.js';

/**
 * A tariff as published: amounts are decimal strings of atomic units, counts are JSON integers. Parsed, all are bigint.
 * Unknown members are refused, so that a misspelled rule cannot be published as no rule.
 */
export const tariffSchema = z.strictObject({
  charges: z.array(chargeSchema).min(1).max(LIST_MAX),
  modifiers: z.array(modifierSchema).max(LIST_MAX).default([]),
  minimum: amount.optional(),
  maximum: amount.optional(),
  /** What its units are, such as `tokens`: limits of that meter count them, whatever the route. */
  meter: meter.optional(),
  /** Calendar day or month (UTC) that a payer's usage is counted in; needed by rules over the period. */
  period: z.enum(['day', 'month']).optional(),
});

export type TariffRules = z.input<typeof tariffSchema>;
export type Tariff = z.output<typeof tariffSchema>;
