import { z } from 'zod';
import { tenantId } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { MeterPublished, MeterWithdrawn } from './meter.js';

const stream = 'meter/{tenant}/{id}';
const id = z.string().min(1).meta({ description: 'Meter' });

const counted = {
  eventType: z.string().meta({ description: 'Type of the CloudEvents that it counts' }),
  unit: z.string().meta({ description: 'What one of it is called' }),
  late: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('own_period') }),
      z.strictObject({ kind: z.literal('next_invoice') }),
      z.strictObject({ kind: z.literal('reject'), days: z.int().min(1) }),
    ])
    .meta({ description: 'What becomes of an event that arrives when the period of its time is over' }),
};

const published = shapeOf<MeterPublished>()({
  type: 'MeterPublished',
  schema: 1,
  stream,
  when: 'A provider said what is counted of usage events, or what becomes of late ones.',
  data: z.strictObject({
    tenant: tenantId,
    id,
    rules: z.discriminatedUnion('aggregation', [
      z.strictObject({ aggregation: z.literal('count'), ...counted }),
      z.strictObject({
        aggregation: z.enum(['sum', 'max', 'unique', 'latest']),
        value: z.string().meta({ description: 'JSON pointer into the data of the event' }),
        ...counted,
      }),
    ]),
  }),
});

const withdrawn = shapeOf<MeterWithdrawn>()({
  type: 'MeterWithdrawn',
  schema: 1,
  stream,
  when: 'A provider withdrew a meter: it counts no further events.',
  data: z.strictObject({ tenant: tenantId, id }),
});

export const meterShapes: readonly EventShape[] = [published, withdrawn];
