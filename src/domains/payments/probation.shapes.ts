import { z } from 'zod';
import { address, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { ProbationLifted } from './probation.js';

const lifted = shapeOf<ProbationLifted>()({
  type: 'ProbationLifted',
  schema: 1,
  stream: 'probation/{tenant}/{payer}',
  when: 'An operator ended the probation of a payer whose payment had failed after its answer.',
  data: z.strictObject({
    payer: address,
    left: wholeNumber.meta({ description: 'Payments that it had still to settle' }),
  }),
});

export const probationShapes: readonly EventShape[] = [lifted];
