import { z } from 'zod';
import { wholeNumber } from '../event-fields.js';
import { type EventShape, shapeOf } from '../event-shape.js';
import type { LogRestored, LossAccepted } from './restorations.js';

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

const accepted = shapeOf<LossAccepted>()({
  type: 'LossAccepted',
  schema: 1,
  stream,
  when: 'Somebody said that a loss is known.',
  data: z.strictObject({ seals }),
});

export const restorationShapes: readonly EventShape[] = [restored, accepted];
