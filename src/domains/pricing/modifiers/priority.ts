import { z } from 'zod';
import { conditionSchema } from '../condition.js';
import { permille } from '../tariff-fields.js';

const URGENCIES = 8;

/** A factor for each urgency of RFC 9218, from 0 (most urgent) to 7. */
export const prioritySchema = z.strictObject({
  kind: z.literal('priority'),
  permille: z.array(permille).length(URGENCIES),
  when: conditionSchema.optional(),
});
