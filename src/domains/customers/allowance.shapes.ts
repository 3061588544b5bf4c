import { z } from 'zod';
import { address, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { AllowanceRemoved, AllowanceSet } from './allowance.js';

const stream = 'allowance/{tenant}/{payer}';
const payer = address.optional().meta({ description: 'Absent: each proven customer without an allowance of its own' });

const set = shapeOf<AllowanceSet>()({
  type: 'AllowanceSet',
  schema: 1,
  stream,
  when: 'A provider said what a customer, or each proven customer, may use without paying.',
  data: z.strictObject({
    payer,
    counts: z.enum(['requests', 'units']),
    limit: wholeNumber,
    period: z.enum(['day', 'month']).meta({ description: 'Calendar period, UTC' }),
  }),
});

const removed = shapeOf<AllowanceRemoved>()({
  type: 'AllowanceRemoved',
  schema: 1,
  stream,
  when: 'A provider took an allowance away.',
  data: z.strictObject({ payer }),
});

export const allowanceShapes: readonly EventShape[] = [set, removed];
