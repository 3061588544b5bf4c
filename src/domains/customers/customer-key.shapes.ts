import { z } from 'zod';
import { address, digest, instant } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { UpcastStep } from '../../base/event-store/upcast.js';
import type {
  CustomerKeyExpiring,
  CustomerKeyIssued,
  CustomerKeyIssuedV1,
  CustomerKeyRevoked,
} from './customer-key.js';

const stream = 'customer-keys/{tenant}/{payer}';
const key = z
  .string()
  .regex(/^key_[0-9a-f]{16}$/)
  .meta({ description: 'Public name of the key' });

const issuedFields = {
  payer: address,
  key,
  digest: digest.meta({ description: 'HMAC-SHA256 of the key under a secret of the installation, base64url' }),
  issuedAt: instant,
  expiresAt: instant.optional(),
};

const issuedV1 = shapeOf<CustomerKeyIssuedV1>()({
  type: 'CustomerKeyIssued',
  schema: 1,
  stream,
  when: 'A customer got an API key, until keys had scopes.',
  data: z.strictObject(issuedFields),
});

const issued = shapeOf<CustomerKeyIssued>()({
  type: 'CustomerKeyIssued',
  schema: 2,
  stream,
  when: 'A customer got an API key.',
  data: z.strictObject({
    ...issuedFields,
    routes: z
      .array(z.string())
      .optional()
      .meta({ description: 'Names of the routes that it is good for, sorted; all of them, if nothing is said' }),
  }),
});

const expiring = shapeOf<CustomerKeyExpiring>()({
  type: 'CustomerKeyExpiring',
  schema: 1,
  stream,
  when: 'Another key took over from one, which stays good for a while.',
  data: z.strictObject({ payer: address, key, expiresAt: instant }),
});

const revoked = shapeOf<CustomerKeyRevoked>()({
  type: 'CustomerKeyRevoked',
  schema: 1,
  stream,
  when: 'An API key of a customer was revoked.',
  data: z.strictObject({ payer: address, key }),
});

export const customerKeyShapes: readonly EventShape[] = [issuedV1, issued, expiring, revoked];

export const customerKeyUpcasts: readonly UpcastStep[] = [{ type: 'CustomerKeyIssued', from: 1, data: (old) => old }];
