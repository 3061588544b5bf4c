import { z } from 'zod';
import { count } from '../tariff-fields.js';
import { fieldSchema, headerName, pointer } from './field.js';

const DECIMALS_MAX = 18;
/** What a statement counts as if it is absent, and the most that it counts, which is also what an unreadable one does. */
const bounds = { default: count(0), maximum: count(0) };
/** With it, `12.50` at 2 decimals is 1250 units, and texts are taken as numbers; without, whole JSON numbers only. */
const decimals = z.int().min(0).max(DECIMALS_MAX).optional();
/** Units that count before the response is there: an `exact` payment is signed before, so this is what it pays. */
const maximum = count(1);

/** What a charge counts. */
export const quantitySchema = z.discriminatedUnion('source', [
  /** The same for every request; 1 counts requests. */
  z.strictObject({ source: z.literal('declared'), units: count(1) }),
  z.strictObject({ source: z.literal('request_bytes') }),
  /** Items of an array in the JSON body; an absent one counts as `default`. */
  z.strictObject({ source: z.literal('items'), pointer, default: count(0) }),
  /** A number that the caller states. */
  z.strictObject({ source: z.literal('field'), field: fieldSchema, ...bounds, decimals }),
  z.strictObject({
    source: z.literal('text_tokens'),
    pointer,
    charactersPerToken: count(1),
    /** A ceiling the caller sets on the answer; out of range counts as `maximum`, absent as `default`. */
    plus: z.strictObject({ pointer, ...bounds }).optional(),
  }),
  z.strictObject({ source: z.literal('response_bytes'), maximum }),
  /** Started seconds until the response was complete. */
  z.strictObject({ source: z.literal('response_seconds'), maximum }),
  /** Rows: items of an array in the JSON body of the response. */
  z.strictObject({ source: z.literal('response_items'), pointer, maximum }),
  /** A number that the upstream states, such as the tokens it used. */
  z.strictObject({
    source: z.literal('response_field'),
    field: z.discriminatedUnion('in', [
      z.strictObject({ in: z.literal('header'), name: headerName }),
      /** RFC 9110, section 6.5: what is known only at the end of a stream. */
      z.strictObject({ in: z.literal('trailer'), name: headerName }),
      z.strictObject({ in: z.literal('body'), pointer }),
    ]),
    maximum,
    decimals,
  }),
  /** Events of a stream (server-sent events, JSON lines), counted while it flows. What is paid later is cut off at the maximum. */
  z.strictObject({
    source: z.literal('response_events'),
    /** A whole number in the JSON of each event; without it an event counts 1. */
    pointer: pointer.optional(),
    /** `max`: each event states how much it was so far. */
    aggregation: z.enum(['sum', 'max']).default('sum'),
    maximum,
  }),
]);

export type Quantity = z.output<typeof quantitySchema>;
