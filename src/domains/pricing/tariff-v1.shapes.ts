import { z } from 'zod';
import { atomicAmount } from '../../base/event-store/event-fields.js';

// What tariffs of schema version 1 looked like: it stays as it is.

const count = z.int().min(0);

const quantity = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('declared'), units: count }),
  z.strictObject({ source: z.literal('request_bytes') }),
  z.strictObject({
    source: z.literal('text_tokens'),
    pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) into the body' }),
    charactersPerToken: count,
    plus: z.strictObject({ pointer: z.string(), default: count, maximum: count }).optional(),
  }),
]);

const charge = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('flat'), amount: atomicAmount }),
  z.strictObject({
    model: z.literal('per_unit'),
    quantity,
    amount: atomicAmount,
    per: count,
    included: count.optional(),
  }),
]);

const modifier = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('priority'), permille: z.array(count) }),
]);

export const tariffRulesV1 = z.strictObject({
  charges: z.array(charge),
  modifiers: z.array(modifier).optional(),
  minimum: atomicAmount.optional(),
  maximum: atomicAmount.optional(),
});

export type TariffRulesV1 = z.output<typeof tariffRulesV1>;
