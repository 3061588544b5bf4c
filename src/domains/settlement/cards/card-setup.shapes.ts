import { z } from 'zod';
import { type EventShape, shapeOf } from '../../../base/event-store/event-shape.js';
import type { CardSetupCompleted, CardSetupStarted } from './card-setup.js';

const stream = 'card-setup/{tenant}/{customer}';
const setup = z.string().meta({ description: 'The setup: `cst_…`' });

const started = shapeOf<CardSetupStarted>()({
  ...{ type: 'CardSetupStarted', schema: 1, stream },
  when: 'A customer is to tell the processor a card; setups before this one count no more.',
  data: z.strictObject({ setup, processorId: z.string().meta({ description: "The processor's id of it" }) }),
});

const completed = shapeOf<CardSetupCompleted>()({
  ...{ type: 'CardSetupCompleted', schema: 1, stream },
  when: 'The processor has a card that may be charged while its owner is away.',
  data: z.strictObject({
    setup,
    method: z.string().meta({ description: "The processor's id of the card" }),
    brand: z.string(),
    last4: z.string(),
    expires: z.string().meta({ description: 'Year and month' }),
  }),
});

export const cardSetupShapes: readonly EventShape[] = [started, completed];
