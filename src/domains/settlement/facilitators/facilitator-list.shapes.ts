import { z } from 'zod';
import { digest } from '../../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../../base/event-store/event-shape.js';
import type { FacilitatorsChosen } from './facilitator-list.js';

const chosen = shapeOf<FacilitatorsChosen>()({
  type: 'FacilitatorsChosen',
  schema: 1,
  stream: 'facilitators/{tenant}',
  when: 'A tenant said which outside facilitators settle for it, in place of what it said before.',
  data: z.strictObject({
    facilitators: z
      .array(
        z.strictObject({
          url: z.string().meta({ description: 'Base URL' }),
          timeoutMs: z.int().min(1).meta({ description: 'Milliseconds' }),
          allowPrivate: z.boolean().meta({ description: 'Whether it may be at a private address' }),
          authorizationDigest: digest
            .optional()
            .meta({ description: 'Tells whether its secret changed, not what it is' }),
        }),
      )
      .meta({ description: 'The preferred one first; none: the settlers of the installation' }),
    own: z.enum(['last', 'never']).meta({ description: 'Whether the settlers of the installation come last' }),
  }),
});

export const facilitatorListShapes: readonly EventShape[] = [chosen];
