import { z } from 'zod';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import { minorAmount } from './invoice.fields.js';
import type { PrepaidApplied, PrepaidTakenBack } from './prepaid.js';

const stream = 'prepaid/{tenant}/{customer}';
const sequence = z.int().min(1).meta({ description: 'Of the invoice among those of the account' });
const reference = z.string().meta({ description: 'That of the payment in the stream of the invoice' });

const applied = shapeOf<PrepaidApplied>()({
  type: 'PrepaidApplied',
  schema: 1,
  stream,
  when: 'Prepaid balance was put towards an invoice, which says so in its own stream at the same moment.',
  data: z.strictObject({ sequence, reference, amount: minorAmount }),
});

const takenBack = shapeOf<PrepaidTakenBack>()({
  type: 'PrepaidTakenBack',
  schema: 1,
  stream,
  when: 'What was paid in has gone again, so an invoice is paid by it no more.',
  data: z.strictObject({ sequence, reference }),
});

export const prepaidShapes: readonly EventShape[] = [applied, takenBack];
