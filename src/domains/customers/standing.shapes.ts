import { z } from 'zod';
import { address } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { ListModeChanged, PayerListed, PayerUnlisted } from './standing.js';

const stream = 'standing/{tenant}/{payer}';

const listed = shapeOf<PayerListed>()({
  type: 'PayerListed',
  schema: 1,
  stream,
  when: 'A provider put a payer on its allow list or its deny list.',
  data: z.strictObject({
    payer: address,
    list: z.enum(['allow', 'deny']),
    reason: z.enum(['contract', 'abuse', 'fraud', 'sanctions', 'unpaid', 'on_request', 'other']),
  }),
});

const unlisted = shapeOf<PayerUnlisted>()({
  type: 'PayerUnlisted',
  schema: 1,
  stream,
  when: 'A provider took a payer off its lists.',
  data: z.strictObject({ payer: address }),
});

const modeChanged = shapeOf<ListModeChanged>()({
  type: 'ListModeChanged',
  schema: 1,
  stream: 'list-mode/{tenant}',
  when: 'A provider said whether it serves payers that are on no list.',
  data: z.strictObject({
    mode: z
      .enum(['open', 'allow_listed'])
      .meta({ description: '`allow_listed`: only payers on the allow list are served' }),
  }),
});

export const standingShapes: readonly EventShape[] = [listed, unlisted, modeChanged];
