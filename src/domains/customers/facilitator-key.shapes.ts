import { z } from 'zod';
import { digest, instant } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { FacilitatorKeyIssued, FacilitatorKeyRevoked } from './facilitator-key.js';

const stream = 'facilitator-keys/{tenant}';
const key = z
  .string()
  .regex(/^key_[0-9a-f]{16}$/)
  .meta({ description: 'Public name of the key' });

const issued = shapeOf<FacilitatorKeyIssued>()({
  type: 'FacilitatorKeyIssued',
  schema: 1,
  stream,
  when: "A tenant's servers got a key for the facilitator.",
  data: z.strictObject({
    key,
    digest: digest.meta({ description: 'HMAC-SHA256 of the key under a secret of the installation, base64url' }),
    issuedAt: instant,
  }),
});

const revoked = shapeOf<FacilitatorKeyRevoked>()({
  type: 'FacilitatorKeyRevoked',
  schema: 1,
  stream,
  when: "A key of a tenant's servers for the facilitator was revoked.",
  data: z.strictObject({ key }),
});

export const facilitatorKeyShapes: readonly EventShape[] = [issued, revoked];
