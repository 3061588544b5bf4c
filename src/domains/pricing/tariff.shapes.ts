import { z } from 'zod';
import { atomicAmount } from '../../base/event-store/event-fields.js';
import type { ConditionRules } from './condition.js';
import { DAYS } from './modifiers/wall-clock.js';

// What tariffs of schema versions 2 to 4 look like, for ever; not what may be published today.

const count = z.int().min(0);
const permille = count.meta({ description: 'Factor in thousandths' });
const percent = z.string().meta({ description: 'Percent, decimal' });
const pointer = z.string().meta({ description: 'JSON pointer (RFC 6901) into the body' });
const decimals = count.optional();

const inHeader = z.strictObject({ in: z.literal('header'), name: z.string() });
const inTrailer = z.strictObject({ in: z.literal('trailer'), name: z.string() });
const inBody = z.strictObject({ in: z.literal('body'), pointer });
const field = z.discriminatedUnion('in', [
  inHeader,
  z.strictObject({ in: z.literal('query'), name: z.string() }),
  z.strictObject({ in: z.literal('path'), name: z.string() }),
  inBody,
]);

const quantities = [
  z.strictObject({ source: z.literal('declared'), units: count }),
  z.strictObject({ source: z.literal('request_bytes') }),
  z.strictObject({ source: z.literal('items'), pointer, default: count }),
  z.strictObject({ source: z.literal('field'), field, default: count, maximum: count, decimals }),
  z.strictObject({
    source: z.literal('text_tokens'),
    pointer,
    charactersPerToken: count,
    plus: z.strictObject({ pointer: z.string(), default: count, maximum: count }).optional(),
  }),
  z.strictObject({ source: z.literal('response_bytes'), maximum: count }),
  z.strictObject({ source: z.literal('response_seconds'), maximum: count }),
  z.strictObject({ source: z.literal('response_items'), pointer, maximum: count }),
] as const;
const responseField = <F extends z.ZodType>(of: F) =>
  z.strictObject({ source: z.literal('response_field'), field: of, maximum: count, decimals });

const quantityV2 = z.discriminatedUnion('source', [
  ...quantities,
  responseField(z.discriminatedUnion('in', [inHeader, inBody])),
]);

const quantityV4 = z.discriminatedUnion('source', [
  ...quantities,
  responseField(z.discriminatedUnion('in', [inHeader, inTrailer, inBody])),
  z.strictObject({
    source: z.literal('response_events'),
    pointer: pointer.optional(),
    aggregation: z.enum(['sum', 'max']).optional(),
    maximum: count,
  }),
]);

const condition: z.ZodType<ConditionRules> = z.lazy(() =>
  z.discriminatedUnion('is', [
    z.strictObject({ is: z.enum(['all', 'any']), of: z.array(condition) }),
    z.strictObject({ is: z.literal('not'), of: condition }),
    z.strictObject({ is: z.literal('equals'), field, value: z.string() }),
    z.strictObject({ is: z.literal('one_of'), field, values: z.array(z.string()) }),
    z.strictObject({ is: z.literal('present'), field }),
    z.strictObject({ is: z.enum(['at_least', 'at_most']), field, value: count }),
    z.strictObject({ is: z.literal('class'), class: z.string() }),
  ]),
);
const when = condition.optional();
const bounds = { minimum: atomicAmount.optional(), maximum: atomicAmount.optional() };
const over = z.enum(['request', 'period']).optional();
const prorated = z.boolean().optional();
const upTo = count.optional();
const unitTier = z.strictObject({ upTo, amount: atomicAmount, per: count.optional(), flat: atomicAmount.optional() });

function chargeOf<Q extends typeof quantityV2 | typeof quantityV4>(quantity: Q) {
  const counted = { when, ...bounds, quantity, included: count.optional(), over };
  return z.discriminatedUnion('model', [
    z.strictObject({ model: z.literal('flat'), amount: atomicAmount, when, ...bounds }),
    z.strictObject({ model: z.literal('per_unit'), amount: atomicAmount, per: count, prorated, ...counted }),
    z.strictObject({ model: z.literal('package'), amount: atomicAmount, per: count, ...counted }),
    z.strictObject({ model: z.literal('graduated'), tiers: z.array(unitTier), prorated, ...counted }),
    z.strictObject({ model: z.literal('volume'), tiers: z.array(unitTier), prorated, ...counted }),
    z.strictObject({ model: z.literal('percentage'), percent, ...counted }),
    z.strictObject({
      model: z.literal('graduated_percentage'),
      tiers: z.array(z.strictObject({ upTo, percent, flat: atomicAmount.optional() })),
      ...counted,
    }),
    z.strictObject({
      model: z.literal('dynamic'),
      price: quantity,
      when,
      minimum: atomicAmount,
      maximum: atomicAmount,
    }),
  ]);
}

const modifier = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('priority'), permille: z.array(permille), when }),
  z.strictObject({ kind: z.literal('volume'), tiers: z.array(z.strictObject({ upTo, permille })), when }),
  z.strictObject({
    kind: z.literal('class'),
    by: field,
    classes: z.array(z.strictObject({ id: z.string(), permille })),
    when,
  }),
  z.strictObject({
    kind: z.literal('time_of_day'),
    timeZone: z.string(),
    windows: z.array(
      z.strictObject({ days: z.array(z.enum(DAYS)).optional(), from: z.string(), to: z.string(), permille }),
    ),
    when,
  }),
  z.strictObject({ kind: z.literal('load'), from: count, to: count, permille, when }),
]);

const rest = { modifiers: z.array(modifier).optional(), ...bounds, period: z.enum(['day', 'month']).optional() };
const meter = z.string().optional().meta({ description: 'What its units are' });

export const tariffRulesV2 = z.strictObject({ charges: z.array(chargeOf(quantityV2)), ...rest });

export const tariffRulesV3 = tariffRulesV2.extend({ meter });

export type TariffRulesV2 = z.output<typeof tariffRulesV2>;
export type TariffRulesV3 = z.output<typeof tariffRulesV3>;

export const tariffRules = z.strictObject({ charges: z.array(chargeOf(quantityV4)), ...rest, meter });
