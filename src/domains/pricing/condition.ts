import { z } from 'zod';
import { assertNever } from '../../base/shared/assert-never.js';
import { ABSENT, UNREADABLE } from './request/fact.js';
import { type Field, fieldSchema } from './request/field.js';
import type { PricedRequest } from './request/priced-request.js';
import { LIST_MAX } from './tariff-fields.js';

/** How deep conditions may stand within conditions. */
const DEPTH_MAX = 4;
const VALUE_MAX = 200;
const CLASS_MAX = 64;

type FieldRules = z.input<typeof fieldSchema>;

/** When a charge or a modifier applies, as published. */
export type ConditionRules =
  | { is: 'all' | 'any'; of: ConditionRules[] }
  | { is: 'not'; of: ConditionRules }
  | { is: 'equals'; field: FieldRules; value: string }
  | { is: 'one_of'; field: FieldRules; values: string[] }
  | { is: 'present'; field: FieldRules }
  | { is: 'at_least' | 'at_most'; field: FieldRules; value: number }
  | { is: 'class'; class: string };

export type Condition =
  | { readonly is: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly is: 'not'; readonly of: Condition }
  | { readonly is: 'equals'; readonly field: Field; readonly value: string }
  | { readonly is: 'one_of'; readonly field: Field; readonly values: readonly string[] }
  | { readonly is: 'present'; readonly field: Field }
  | { readonly is: 'at_least' | 'at_most'; readonly field: Field; readonly value: number }
  | { readonly is: 'class'; readonly class: string };

const value = z.string().max(VALUE_MAX);

function schemaWithin(depth: number): z.ZodType<Condition, ConditionRules> {
  const comparisons = [
    z.strictObject({ is: z.literal('equals'), field: fieldSchema, value }),
    z.strictObject({ is: z.literal('one_of'), field: fieldSchema, values: z.array(value).min(1).max(LIST_MAX) }),
    z.strictObject({ is: z.literal('present'), field: fieldSchema }),
    z.strictObject({ is: z.enum(['at_least', 'at_most']), field: fieldSchema, value: z.int().min(0) }),
    z.strictObject({ is: z.literal('class'), class: z.string().max(CLASS_MAX) }),
  ] as const;
  if (depth === 0) return z.discriminatedUnion('is', comparisons);
  const inner = z.lazy(() => schemaWithin(depth - 1));
  return z.discriminatedUnion('is', [
    z.strictObject({ is: z.enum(['all', 'any']), of: z.array(inner).min(1).max(LIST_MAX) }),
    z.strictObject({ is: z.literal('not'), of: inner }),
    ...comparisons,
  ]);
}

export const conditionSchema = schemaWithin(DEPTH_MAX);

/** `undefined` where a place cannot be read: the rule then applies if that makes the request no cheaper. */
export type Verdict = boolean | undefined;

/** Pure. `chosen` is the class of the request. */
export function holds(condition: Condition, request: PricedRequest, chosen: string | undefined): Verdict {
  switch (condition.is) {
    case 'all':
      return every(condition.of.map((one) => holds(one, request, chosen)));
    case 'any':
      return negate(every(condition.of.map((one) => negate(holds(one, request, chosen)))));
    case 'not':
      return negate(holds(condition.of, request, chosen));
    case 'class':
      return condition.class === chosen;
    case 'equals':
      return equals(condition.field, condition.value, request);
    case 'one_of':
      return negate(every(condition.values.map((one) => negate(equals(condition.field, one, request)))));
    case 'present':
      return truth(request.read({ kind: 'present', side: 'request', field: condition.field }));
    case 'at_least':
    case 'at_most':
      return compare(condition, request);
    default:
      return assertNever(condition);
  }
}

/** Classes that a condition names. */
export function classesIn(condition: Condition): readonly string[] {
  if (condition.is === 'class') return [condition.class];
  if (condition.is === 'not') return classesIn(condition.of);
  return condition.is === 'all' || condition.is === 'any' ? condition.of.flatMap(classesIn) : [];
}

/** False if one is, else unknown if one is. */
function every(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(undefined) ? undefined : true;
}

function negate(verdict: Verdict): Verdict {
  return verdict === undefined ? undefined : !verdict;
}

function equals(field: Field, text: string, request: PricedRequest): Verdict {
  return truth(request.read({ kind: 'equals', side: 'request', field, value: text }));
}

function truth(reading: string): Verdict {
  return reading === UNREADABLE ? undefined : reading === 'true';
}

/** A number that is absent is neither at least nor at most another. */
function compare(
  { field, is, value: limit }: Extract<Condition, { is: 'at_least' | 'at_most' }>,
  request: PricedRequest,
): Verdict {
  const reading = request.read({ kind: 'number', side: 'request', field });
  if (reading === ABSENT) return false;
  if (reading === UNREADABLE) return undefined;
  const [units = '', digits = ''] = reading.replaceAll('"', '').split('.');
  const stated = BigInt(units);
  if (is === 'at_least') return stated >= BigInt(limit);
  return stated < BigInt(limit) || (stated === BigInt(limit) && /^0*$/.test(digits));
}
