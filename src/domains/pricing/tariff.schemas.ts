import { z } from 'zod';
import { parseAtomic } from '../../base/shared/money.js';
import { parsePointer } from './json-pointer.js';

/** Eight urgencies of RFC 9218, 0 (most urgent) to 7. */
const URGENCIES = 8;
const LIST_MAX = 32;

const amount = z.string().transform((text, context) => {
  const value = parseAtomic(text);
  if (value === undefined) {
    context.addIssue({
      code: 'custom',
      message: 'whole atomic units as a decimal string; a price below one atomic unit cannot be charged per request',
    });
    return z.NEVER;
  }
  return value;
});

const whole = (least: number) => z.int().min(least).transform(BigInt);

const pointer = z
  .string()
  .max(200)
  .transform((text, context) => {
    const tokens = parsePointer(text);
    if (tokens !== undefined) return tokens;
    context.addIssue({ code: 'custom', message: 'a JSON pointer (RFC 6901)' });
    return z.NEVER;
  });

const quantitySchema = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('declared'), units: whole(1) }),
  z.strictObject({ source: z.literal('request_bytes') }),
  z.strictObject({
    source: z.literal('text_tokens'),
    pointer,
    charactersPerToken: whole(1),
    /** A ceiling the caller sets on the answer; out of range counts as `maximum`, absent as `default`. */
    plus: z.strictObject({ pointer, default: whole(0), maximum: whole(0) }).optional(),
  }),
]);

const chargeSchema = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('flat'), amount }),
  z.strictObject({
    model: z.literal('per_unit'),
    quantity: quantitySchema,
    amount,
    /** The amount buys this many units; a started package counts whole. */
    per: whole(1),
    /** Units that cost nothing. */
    included: whole(0).optional(),
  }),
]);

const modifierSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('priority'), permille: z.array(whole(1)).length(URGENCIES) }),
]);

/**
 * A tariff as published: amounts are decimal strings of atomic units, counts are JSON integers. Parsed, all are bigint.
 * Unknown members are refused, so that a misspelled rule cannot be published as no rule.
 */
export const tariffSchema = z.strictObject({
  charges: z.array(chargeSchema).min(1).max(LIST_MAX),
  modifiers: z.array(modifierSchema).max(LIST_MAX).default([]),
  minimum: amount.optional(),
  maximum: amount.optional(),
});

export type TariffRules = z.input<typeof tariffSchema>;
export type Tariff = z.output<typeof tariffSchema>;
export type Charge = z.output<typeof chargeSchema>;
export type Quantity = z.output<typeof quantitySchema>;
export type Modifier = z.output<typeof modifierSchema>;
