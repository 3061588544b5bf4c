import { z } from 'zod';
import { digest, instant } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type {
  FacilitatorKeyIssued,
  FacilitatorKeyRevoked,
  IngestionKeyIssued,
  IngestionKeyRevoked,
} from './tenant-key.js';

const key = z
  .string()
  .regex(/^key_[0-9a-f]{16}$/)
  .meta({ description: 'Public name of the key' });
const issued = z.strictObject({
  key,
  digest: digest.meta({ description: 'HMAC-SHA256 of the key under a secret of the installation, base64url' }),
  issuedAt: instant,
});
const revoked = z.strictObject({ key });

export const tenantKeyShapes: readonly EventShape[] = [
  shapeOf<FacilitatorKeyIssued>()({
    type: 'FacilitatorKeyIssued',
    schema: 1,
    stream: 'facilitator-keys/{tenant}',
    when: "A tenant's servers got a key for the facilitator.",
    data: issued,
  }),
  shapeOf<FacilitatorKeyRevoked>()({
    type: 'FacilitatorKeyRevoked',
    schema: 1,
    stream: 'facilitator-keys/{tenant}',
    when: "A key of a tenant's servers for the facilitator was revoked.",
    data: revoked,
  }),
  shapeOf<IngestionKeyIssued>()({
    type: 'IngestionKeyIssued',
    schema: 1,
    stream: 'ingestion-keys/{tenant}',
    when: "A tenant's servers got a key to send usage events with.",
    data: issued,
  }),
  shapeOf<IngestionKeyRevoked>()({
    type: 'IngestionKeyRevoked',
    schema: 1,
    stream: 'ingestion-keys/{tenant}',
    when: "A key of a tenant's servers to send usage events with was revoked.",
    data: revoked,
  }),
];
