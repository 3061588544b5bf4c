import { z } from 'zod';
import { digest } from '../../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../../base/event-store/event-shape.js';
import type { CardAccountRemoved, CardAccountSet } from './card-account.js';

const stream = 'card-account/{tenant}';

const set = shapeOf<CardAccountSet>()({
  ...{ type: 'CardAccountSet', schema: 1, stream },
  when: 'A tenant said by which account at a processor it takes cards, in place of what it said before.',
  data: z.strictObject({
    processor: z.enum(['stripe']),
    apiBase: z.string().meta({ description: 'Origin of the API' }),
    allowPrivate: z.boolean().meta({ description: 'Whether it may be at a private address' }),
    secretsDigest: digest.meta({ description: 'Tells whether its secrets changed, not what they are' }),
  }),
});

const removed = shapeOf<CardAccountRemoved>()({
  ...{ type: 'CardAccountRemoved', schema: 1, stream },
  when: 'A tenant takes no cards any more.',
  data: z.strictObject({}),
});

export const cardAccountShapes: readonly EventShape[] = [set, removed];
