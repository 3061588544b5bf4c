import { z } from 'zod';
import { wholeNumber } from '../event-fields.js';
import { type EventShape, shapeOf } from '../event-shape.js';
import type { UpcastStep } from '../upcast.js';
import type { LogRestored, LossAccepted, LossAcceptedV1 } from './restorations.js';

const stream = 'log/restorations';
const seals = z
  .strictObject({ from: z.int().min(1), to: z.int().min(1) })
  .meta({ description: 'First and last number of the seals that the log no longer bears out' });

const restored = shapeOf<LogRestored>()({
  type: 'LogRestored',
  schema: 1,
  stream,
  when: 'The database came back older than the seals that were witnessed outside it.',
  data: z.strictObject({
    lostFrom: wholeNumber.meta({ description: 'First position that was lost or replaced, decimal' }),
    lostTo: wholeNumber.meta({ description: 'Last position that was sealed and lost, decimal' }),
    head: wholeNumber.meta({ description: 'Last position of the log when it was found, decimal' }),
    seals,
  }),
});

const acceptedV1 = shapeOf<LossAcceptedV1>()({
  type: 'LossAccepted',
  schema: 1,
  stream,
  when: 'Somebody said that a loss is known.',
  data: z.strictObject({ seals }),
});

const accepted = shapeOf<LossAccepted>()({
  type: 'LossAccepted',
  schema: 2,
  stream,
  when: 'Somebody said that a loss is known.',
  data: z.strictObject({
    seals,
    signature: z
      .string()
      .optional()
      .meta({ description: 'Compact JWS over the loss; without it, as in version 1, the loss is not accepted' }),
  }),
});

export const restorationShapes: readonly EventShape[] = [restored, acceptedV1, accepted];

/** Nobody signed events of version 1. */
export const restorationUpcasts: readonly UpcastStep[] = [{ type: 'LossAccepted', from: 1, data: (old) => old }];
