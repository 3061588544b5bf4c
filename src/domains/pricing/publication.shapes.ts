import { z } from 'zod';
import { address, atomicAmount, instant, network, tenantId } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { RoutePublished, TariffPublished, TenantRegistered } from './publication.js';

// Not the schemas of the bodies: what may be published changes with time, what was published does not.

const registered = shapeOf<TenantRegistered>()({
  type: 'TenantRegistered',
  schema: 1,
  stream: 'tenant/{tenant}',
  when: 'A provider was registered, or its registration changed.',
  data: z.strictObject({
    id: tenantId,
    host: z.string(),
    upstream: z.string().meta({ description: 'Origin of the upstream' }),
    allowPrivateUpstream: z.boolean(),
    payee: address,
    network,
    asset: address,
    upstreamSecretFingerprint: z.string().meta({ description: 'Tells whether the secret changed, not what it is' }),
  }),
});

const route = z.strictObject({
  id: z.string(),
  tenant: tenantId,
  methods: z.array(z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])),
  pattern: z.string(),
  upstreamPath: z.string(),
  description: z.string(),
  mimeType: z.string(),
  mode: z.enum(['async', 'after']),
  idempotent: z.boolean(),
  chargeClientErrors: z.boolean(),
  maxTimeoutSeconds: z.int().min(0),
  timeoutMs: z.int().min(0),
  tariff: z.string(),
  maxBodyBytes: z.int().min(0),
});

const routePublished = shapeOf<RoutePublished>()({
  type: 'RoutePublished',
  schema: 1,
  stream: 'route/{tenant}/{route}',
  when: 'A route was published, or changed.',
  data: z.strictObject({ revision: z.int().min(1), route }),
});

const count = z.int().min(0);

const quantity = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('declared'), units: count }),
  z.strictObject({ source: z.literal('request_bytes') }),
  z.strictObject({
    source: z.literal('text_tokens'),
    pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) into the body' }),
    charactersPerToken: count,
    plus: z.strictObject({ pointer: z.string(), default: count, maximum: count }).optional(),
  }),
]);

const charge = z.discriminatedUnion('model', [
  z.strictObject({ model: z.literal('flat'), amount: atomicAmount }),
  z.strictObject({
    model: z.literal('per_unit'),
    quantity,
    amount: atomicAmount,
    per: count,
    included: count.optional(),
  }),
]);

const modifier = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('priority'), permille: z.array(count) }),
]);

const tariffPublished = shapeOf<TariffPublished>()({
  type: 'TariffPublished',
  schema: 1,
  stream: 'tariff/{tenant}/{tariff}',
  when: 'A new version of a tariff was published; it never changes.',
  data: z.strictObject({
    tenant: tenantId,
    id: z.string(),
    version: z.int().min(1),
    effectiveFrom: instant,
    rules: z.strictObject({
      charges: z.array(charge),
      modifiers: z.array(modifier).optional(),
      minimum: atomicAmount.optional(),
      maximum: atomicAmount.optional(),
    }),
  }),
});

export const publicationShapes: readonly EventShape[] = [registered, routePublished, tariffPublished];
