import { z } from 'zod';
import { digest, instant } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { UsageIngested } from './usage-ingested.js';

const time = z.iso.datetime({ precision: 6 });

const ingested = shapeOf<UsageIngested>()({
  type: 'UsageIngested',
  schema: 1,
  stream: 'usage/{tenant}/{batch}',
  when: 'Usage events were stored, with this and in one step. What was sent before is not among them.',
  data: z.strictObject({
    batch: z.uuid().meta({ description: 'Batch of the rows in usage_events' }),
    events: z.int().min(1).meta({ description: 'How many' }),
    root: digest.meta({ description: 'Root of the RFC 6962 tree over the leaves of the rows by line, base64url' }),
    from: time.meta({ description: 'Earliest time of use, UTC, microseconds' }),
    to: time.meta({ description: 'Latest time of use, UTC, microseconds' }),
    receivedAt: instant,
  }),
});

export const usageShapes: readonly EventShape[] = [ingested];
