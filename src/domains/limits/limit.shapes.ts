import { z } from 'zod';
import { address, tenantId, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { UpcastStep } from '../../base/event-store/upcast.js';
import type { LimitPublished, LimitPublishedV1, LimitWithdrawn } from './limit.js';

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

const quota = {
  quantity,
  per,
  payer,
  routes: z.array(z.string()).optional().meta({ description: 'Only these routes; absent: all' }),
  window,
};
const exposure = z.strictObject({ measure: z.literal('exposure'), quantity, per, payer });

const publication = {
  type: 'LimitPublished',
  stream,
  when: 'A provider said how much it allows, in place of what it allowed under the same id.',
} as const;

const publishedV1 = shapeOf<LimitPublishedV1>()({
  ...publication,
  schema: 1,
  data: z.strictObject({
    tenant: tenantId,
    id,
    rules: z.discriminatedUnion('measure', [
      z.strictObject({ measure: z.enum(['requests', 'units', 'amount']), ...quota }),
      exposure,
    ]),
  }),
});

const published = shapeOf<LimitPublished>()({
  ...publication,
  schema: 2,
  data: z.strictObject({
    tenant: tenantId,
    id,
    rules: z.discriminatedUnion('measure', [
      z.strictObject({ measure: z.enum(['requests', 'amount']), ...quota }),
      z.strictObject({
        measure: z.literal('units'),
        meter: z.string().optional().meta({ description: 'Only units of this meter; absent: of every tariff' }),
        ...quota,
      }),
      exposure,
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

export const limitShapes: readonly EventShape[] = [publishedV1, published, withdrawn];

/** Version 2 knows meters; what version 1 says means the same in it. */
export const limitUpcasts: readonly UpcastStep[] = [{ type: 'LimitPublished', from: 1, data: (old) => old }];
