import { z } from 'zod';
import { meter as meterId } from '../pricing/tariff-fields.js';

export { meterId };

/** RFC 6901. */
const POINTER = /^(?:\/(?:[^/~]|~[01])*){1,8}$/;
/** Types of events by which others are taken back; no meter counts them. */
export const OWN_TYPES = 'tollbook.';

/** Text that can stand in a line: no control characters, no half characters. */
export const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029]+$/u, 'must hold no control characters');

const counted = {
  /** `type` of the CloudEvents that it counts. */
  eventType: line(200).refine((type) => !type.startsWith(OWN_TYPES), `must not begin with ${OWN_TYPES}`),
  /** What one of it is called on an invoice: `token`, `GB`. */
  unit: line(32),
  /** What becomes of an event that arrives when the period of its `time` is over. */
  late: z
    .discriminatedUnion('kind', [
      /** Counts in its own period as long as that has no final invoice, then in the next. */
      z.strictObject({ kind: z.literal('own_period') }),
      /** Counts in the period that it arrives in. */
      z.strictObject({ kind: z.literal('next_invoice') }),
      /** Is refused if its `time` is more than so many days ago; else like `own_period`. */
      z.strictObject({ kind: z.literal('reject'), days: z.int().min(1).max(3650) }),
    ])
    .default({ kind: 'own_period' }),
};

export const meterSchema = z.discriminatedUnion('aggregation', [
  z.strictObject({ aggregation: z.literal('count'), ...counted }),
  z.strictObject({
    /** `unique` counts different values; `latest` is the value with the latest `time`. */
    aggregation: z.enum(['sum', 'max', 'unique', 'latest']),
    /** JSON pointer into the event's `data`. */
    value: z.string().max(256).regex(POINTER, 'a JSON pointer into data, such as /tokens'),
    ...counted,
  }),
]);

export type MeterRules = z.output<typeof meterSchema>;
