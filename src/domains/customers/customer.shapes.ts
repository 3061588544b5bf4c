import { z } from 'zod';
import { address } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { CustomerDescribed, CustomerErased } from './customer.js';

const stream = 'customer/{tenant}/{payer}';

const described = shapeOf<CustomerDescribed>()({
  type: 'CustomerDescribed',
  schema: 1,
  stream,
  when: 'A provider noted who a payer is. The values are kept beside the events.',
  data: z.strictObject({
    payer: address,
    fields: z.array(z.enum(['name', 'email', 'note'])).meta({ description: 'Names of the fields that are set now' }),
  }),
});

const erased = shapeOf<CustomerErased>()({
  type: 'CustomerErased',
  schema: 1,
  stream,
  when: 'What was kept beside the events about a payer was deleted.',
  data: z.strictObject({ payer: address }),
});

export const customerShapes: readonly EventShape[] = [described, erased];
