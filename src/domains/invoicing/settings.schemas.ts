import { z } from 'zod';
import { creditReasons } from './invoice.js';
import type { MeterCharge } from './settings.js';

const minor = z.string().regex(/^[1-9][0-9]{0,17}$/, 'a whole number of minor units in decimal, above zero');
const atomic = z.string().regex(/^(?:0|[1-9][0-9]{0,29})$/, 'whole atomic units in decimal, 30 digits at most');
const percent = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{1,6})?$/, 'percent as a decimal string, such as "8.875"');
const count = (least: number) => z.int().min(least).max(1_000_000_000);
const line = (longest: number) => z.string().trim().min(1).max(longest);

export const invoicingSchema = z.strictObject({
  number_prefix: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{0,9}$/, 'a capital letter, then up to nine capital letters and digits')
    .default('INV'),
  /** 30 days at most. */
  grace_seconds: z.int().min(0).max(2_592_000).default(3_600),
  due_days: z.int().min(0).max(365).default(14),
  /** Minor units. */
  threshold: minor.optional(),
  dunning_days: z.array(z.int().min(0).max(365)).max(10).default([3, 7, 14]),
});

export const clockSchema = z.strictObject({ advance_to: z.iso.datetime({ offset: true }) });

export const taxesSchema = z.strictObject({
  rates: z.array(z.strictObject({ name: line(60), percent })).max(5),
});

export const partySchema = z.strictObject({
  name: line(200),
  lines: z.array(line(200)).max(6).default([]),
  country: z.string().regex(/^[A-Z]{2}$/, 'two capital letters of ISO 3166-1'),
  tax_id: line(40).optional(),
  email: z.email().max(254).optional(),
});

/** `payment`: how to pay besides x402, such as a bank account, as documents print it, a line each. */
export const sellerSchema = partySchema.extend({ payment: z.array(line(200)).max(6).optional() });

const common = { minimum: atomic.optional(), maximum: atomic.optional() };
const counted = { ...common, included: count(0).optional() };
const ends = <T extends { upTo?: number }>(tiers: readonly T[]) =>
  tiers.every(({ upTo }, index) =>
    index === tiers.length - 1 ? upTo === undefined : upTo !== undefined && upTo > (tiers[index - 1]?.upTo ?? 0),
  );
const RISING = 'tiers rise, and the last one alone has no end';
const unitTiers = z
  .array(
    z.strictObject({ upTo: count(1).optional(), amount: atomic, per: count(1).optional(), flat: atomic.optional() }),
  )
  .min(1)
  .max(32)
  .refine(ends, RISING);
const percentTiers = z
  .array(z.strictObject({ upTo: count(1).optional(), percent, flat: atomic.optional() }))
  .min(1)
  .max(32)
  .refine(ends, RISING);
const prorated = z.boolean().optional();

/** A charge over the total of a period; amounts in atomic units of the account's token. */
export const meterChargeSchema = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('flat'), amount: atomic, ...common }),
  z.strictObject({ model: z.literal('per_unit'), amount: atomic, per: count(1).default(1), prorated, ...counted }),
  z.strictObject({ model: z.literal('package'), amount: atomic, per: count(2), ...counted }),
  z.strictObject({ model: z.literal('graduated'), tiers: unitTiers, prorated, ...counted }),
  z.strictObject({ model: z.literal('volume'), tiers: unitTiers, prorated, ...counted }),
  z.strictObject({ model: z.literal('percentage'), percent, ...counted }),
  z.strictObject({ model: z.literal('graduated_percentage'), tiers: percentTiers, ...counted }),
]) satisfies z.ZodType<MeterCharge>;

export const meterPriceSchema = z.strictObject({ charge: meterChargeSchema });

export const voidSchema = z.strictObject({ reason: z.enum(['mistaken', 'duplicate', 'on_request', 'other']) });

/**
 * What came in by bank transfer for an invoice. Amount in minor units; `reference` as the bank has it, once on the invoice. Payments that
 * nobody tells, by card say, have references of their own kind.
 */
export const transferSchema = z.strictObject({
  reference: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, . _ and -, 100 at most')
    .regex(/^(?!chg_|bl_)/, 'does not begin like a reference of ours'),
  amount: z.string().regex(/^[1-9][0-9]{0,17}$/, 'a whole number of minor units above zero'),
});

export const reversalSchema = z.strictObject({ reason: z.enum(['refunded', 'disputed', 'mistaken']) });

export const writeOffSchema = z.strictObject({ reason: z.enum(['uncollectible', 'insolvent', 'disputed', 'other']) });

/** The whole invoice if no lines are named; a line without an amount: all that is left of it. Minor units, before taxes. */
export const creditNoteSchema = z.strictObject({
  reason: z.enum(creditReasons),
  lines: z
    .array(z.strictObject({ key: z.string().max(100), amount: minor.optional() }))
    .min(1)
    .max(1_000)
    .optional(),
});
