import { z } from 'zod';
import { address, atomicAmount, digest, network, tenantId, wholeNumber } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type {
  CommitmentAccepted,
  CommitmentDelivered,
  CommitmentInterrupted,
  CommitmentReleased,
} from './commitment.js';

const stream = 'commitment/{commitment}';
const gateway = z.string().meta({ description: 'Lease of the gateway that delivers' });
const kept = z.boolean().meta({ description: 'Whether the answer is kept for a repeat' });
const latencyMs = z.int().min(0).meta({ description: 'Milliseconds' });
const status = z.int().min(100).max(999).meta({ description: 'HTTP status of the upstream' });
const holds = z.array(z.strictObject({ key: z.string(), amount: wholeNumber }));

const accepted = shapeOf<CommitmentAccepted>()({
  type: 'CommitmentAccepted',
  schema: 1,
  stream,
  when: 'The holder of an account signed that it owes for a request, and the request was let in, before it runs.',
  data: z.strictObject({
    tenant: tenantId,
    customer: z.templateLiteral(['cus_', z.string().regex(/^[0-9a-f]{24}$/)]).meta({ description: 'The account' }),
    route: z.string(),
    method: z.string(),
    resource: z.string().meta({ description: 'Absolute, without the query' }),
    requestDigest: digest.meta({ description: 'SHA-256 over method, path, query and body, base64url' }),
    amount: atomicAmount.meta({ description: 'The most that it may cost, atomic units of the asset, decimal' }),
    currency: z.string().meta({ description: 'ISO 4217' }),
    network,
    asset: address,
    tariff: z.strictObject({ id: z.string(), version: z.int().min(1) }),
    quote: z.string().meta({ description: 'Random id of the quote that was accepted' }),
    units: wholeNumber.meta({ description: 'The most that may be used' }),
    urgency: z.int().min(0).max(7).meta({ description: 'Urgency that was asked for (RFC 9218)' }),
    class: z.string().optional().meta({ description: 'Quality of service that was chosen' }),
    inputs: z.record(z.string(), z.string()).meta({ description: 'What the price looked at, by canonical name' }),
    key: digest.meta({ description: 'RFC 7638 thumbprint of the key that signed' }),
    signed: digest.meta({ description: 'SHA-256 of the signature base (RFC 9421), which is kept beside the log' }),
    gateway,
    holds: holds.meta({ description: "What is taken of the account's credit and of quotas" }),
  }),
});

const delivered = shapeOf<CommitmentDelivered>()({
  type: 'CommitmentDelivered',
  schema: 1,
  stream,
  when: 'The upstream answered; what was used is owed.',
  data: z.strictObject({
    status,
    responseDigest: digest.meta({ description: 'SHA-256 of the body as the upstream sent it, base64url' }),
    bytes: z.int().min(0).meta({ description: 'Length of the body' }),
    latencyMs,
    kept,
    units: wholeNumber.meta({ description: 'What was used' }),
    charged: atomicAmount.meta({ description: 'What it costs, atomic units of the asset, decimal' }),
    released: holds.meta({ description: 'What is given back of the holds' }),
  }),
});

const released = shapeOf<CommitmentReleased>()({
  type: 'CommitmentReleased',
  schema: 1,
  stream,
  when: 'The upstream failed, or its answer is not one that the route charges. Nothing is owed.',
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
    kept,
    latencyMs,
  }),
});

const interrupted = shapeOf<CommitmentInterrupted>()({
  type: 'CommitmentInterrupted',
  schema: 1,
  stream,
  when: 'The gateway that delivered it is gone. Nothing is owed, and the request is not run again.',
  data: z.strictObject({ gateway }),
});

export const commitmentShapes: readonly EventShape[] = [accepted, delivered, released, interrupted];
