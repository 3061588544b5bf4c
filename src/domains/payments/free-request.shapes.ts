import { z } from 'zod';
import { address, digest, network, tenantId, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type {
  FreeRequestDelivered,
  FreeRequestFailed,
  FreeRequestGranted,
  FreeRequestInterrupted,
} from './free-request.js';
import type { FreeRequestGrantedV1, FreeRequestGrantedV2 } from './free-request.upcasts.js';

const stream = 'free-request/{request}';
const gateway = z.string().meta({ description: 'Lease of the gateway' });
const latencyMs = z.int().min(0);
const status = z.int().min(100).max(999);

const hold = z.strictObject({ key: z.string(), amount: wholeNumber });
const GRANTED_WHEN = "A proven customer's request was let in within its allowance.";
const grantedFields = {
  tenant: tenantId,
  route: z.string(),
  method: z.string(),
  requestDigest: digest,
  payer: address,
  network,
  asset: address,
  tariff: z.strictObject({ id: z.string(), version: z.int().min(1) }),
  units: wholeNumber,
  gateway,
};

const grantedV1 = shapeOf<FreeRequestGrantedV1>()({
  type: 'FreeRequestGranted',
  schema: 1,
  stream,
  when: GRANTED_WHEN,
  data: z.strictObject({ ...grantedFields, hold }),
});

const holds = z.array(hold).meta({ description: 'What is taken of the allowance and of quotas' });

const grantedV2 = shapeOf<FreeRequestGrantedV2>()({
  type: 'FreeRequestGranted',
  schema: 2,
  stream,
  when: GRANTED_WHEN,
  data: z.strictObject({ ...grantedFields, holds }),
});

const granted = shapeOf<FreeRequestGranted>()({
  type: 'FreeRequestGranted',
  schema: 3,
  stream,
  when: GRANTED_WHEN,
  data: z.strictObject({
    ...grantedFields,
    urgency: z.int().min(0).max(7).optional().meta({ description: 'Urgency that was asked for (RFC 9218)' }),
    class: z.string().optional().meta({ description: 'Quality of service that was chosen' }),
    inputs: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: 'What a price would have looked at, by canonical name' }),
    holds,
  }),
});

const delivered = shapeOf<FreeRequestDelivered>()({
  type: 'FreeRequestDelivered',
  schema: 1,
  stream,
  when: 'The whole answer of the upstream was taken; the allowance stays used.',
  data: z.strictObject({ status, responseDigest: digest, bytes: z.int().min(0), latencyMs }),
});

const failed = shapeOf<FreeRequestFailed>()({
  type: 'FreeRequestFailed',
  schema: 1,
  stream,
  when: 'The upstream failed, or its answer is not one that counts; the allowance is given back.',
  data: z.strictObject({
    reason: z.enum([
      'upstream_error',
      'upstream_timeout',
      'upstream_unreachable',
      'upstream_broke_off',
      'upstream_forbidden',
      'not_charged',
      'answer_too_large_to_hold',
      'shutdown',
    ]),
    status: status.optional(),
    latencyMs,
  }),
});

const interrupted = shapeOf<FreeRequestInterrupted>()({
  type: 'FreeRequestInterrupted',
  schema: 1,
  stream,
  when: 'The gateway that delivered it is gone; the allowance is given back.',
  data: z.strictObject({ gateway }),
});

export const freeRequestShapes: readonly EventShape[] = [grantedV1, grantedV2, granted, delivered, failed, interrupted];
