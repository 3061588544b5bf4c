import { z } from 'zod';
import { address, tenantId, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { LimitPublished, LimitWithdrawn } from './limit.js';

const stream = 'limit/{tenant}/{id}';
const id = z.string().min(1).meta({ description: 'Limit' });
const quantity = wholeNumber.meta({ description: 'What is allowed, in units of the measure' });
const per = z.enum(['tenant', 'payer']).meta({ description: 'Whether all payers share it, or each has its own' });
const payer = address.optional().meta({ description: 'The one payer that it concerns; absent: all' });

const window = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('calendar'),
    unit: z.enum(['minute', 'hour', 'day', 'week', 'month']),
    timeZone: z.string().meta({ description: 'IANA time zone' }),
  }),
  z.strictObject({ kind: z.literal('rolling'), seconds: z.int().min(1) }),
]);

const published = shapeOf<LimitPublished>()({
  type: 'LimitPublished',
  schema: 1,
  stream,
  when: 'A provider said how much it allows, in place of what it allowed under the same id.',
  data: z.strictObject({
    tenant: tenantId,
    id,
    rules: z.discriminatedUnion('measure', [
      z.strictObject({
        measure: z.enum(['requests', 'units', 'amount']),
        quantity,
        per,
        payer,
        routes: z.array(z.string()).optional().meta({ description: 'Only these routes; absent: all' }),
        window,
      }),
      z.strictObject({ measure: z.literal('exposure'), quantity, per, payer }),
    ]),
  }),
});

const withdrawn = shapeOf<LimitWithdrawn>()({
  type: 'LimitWithdrawn',
  schema: 1,
  stream,
  when: 'A provider withdrew a limit.',
  data: z.strictObject({ tenant: tenantId, id }),
});

export const limitShapes: readonly EventShape[] = [published, withdrawn];
