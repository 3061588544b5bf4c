import { z } from 'zod';
import { address, instant, network, tenantId } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { UpcastStep } from '../../base/event-store/upcast.js';
import type {
  RoutePublished,
  RoutePublishedV1,
  RoutePublishedV2,
  RouteWithdrawn,
  TariffPublished,
  TariffPublishedV1,
  TariffPublishedV2,
  TariffPublishedV3,
  TenantRegistered,
} from './publication.js';
import { tariffRules, tariffRulesV2, tariffRulesV3 } from './tariff.shapes.js';
import { tariffRulesV1 } from './tariff-v1.shapes.js';

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

const routeV1 = z.strictObject({
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

const routeV2 = routeV1.extend({
  rateLimit: z
    .strictObject({ points: z.int().min(1), seconds: z.int().min(1) })
    .optional()
    .meta({ description: 'Most requests of one caller in a window' }),
  upstreamConcurrency: z
    .strictObject({ limit: z.int().min(1), queue: z.int().min(0), waitMs: z.int().min(0) })
    .optional()
    .meta({ description: 'Requests at the upstream, and waiting for it, per gateway' }),
});

const route = routeV2.extend({ mode: z.enum(['async', 'after', 'before']) });

const routePublication = {
  type: 'RoutePublished',
  stream: 'route/{tenant}/{route}',
  when: 'A route was published, or changed.',
} as const;

const routePublishedV1 = shapeOf<RoutePublishedV1>()({
  ...routePublication,
  schema: 1,
  data: z.strictObject({ revision: z.int().min(1), route: routeV1 }),
});

const routePublishedV2 = shapeOf<RoutePublishedV2>()({
  ...routePublication,
  schema: 2,
  data: z.strictObject({ revision: z.int().min(1), route: routeV2 }),
});

const routePublished = shapeOf<RoutePublished>()({
  ...routePublication,
  schema: 3,
  data: z.strictObject({ revision: z.int().min(1), route }),
});

const routeWithdrawn = shapeOf<RouteWithdrawn>()({
  type: 'RouteWithdrawn',
  schema: 1,
  stream: 'route/{tenant}/{route}',
  when: 'A route was withdrawn: it is not served, and its open quotes are not honoured.',
  data: z.strictObject({ revision: z.int().min(2), tenant: tenantId, id: z.string() }),
});

const tariffVersion = { tenant: tenantId, id: z.string(), version: z.int().min(1), effectiveFrom: instant };

const tariffPublication = {
  type: 'TariffPublished',
  stream: 'tariff/{tenant}/{tariff}',
  when: 'A new version of a tariff was published; it never changes.',
} as const;

const tariffPublishedV1 = shapeOf<TariffPublishedV1>()({
  ...tariffPublication,
  schema: 1,
  data: z.strictObject({ ...tariffVersion, rules: tariffRulesV1 }),
});

const tariffPublishedV2 = shapeOf<TariffPublishedV2>()({
  ...tariffPublication,
  schema: 2,
  data: z.strictObject({ ...tariffVersion, rules: tariffRulesV2 }),
});

const tariffPublishedV3 = shapeOf<TariffPublishedV3>()({
  ...tariffPublication,
  schema: 3,
  data: z.strictObject({ ...tariffVersion, rules: tariffRulesV3 }),
});

const tariffPublished = shapeOf<TariffPublished>()({
  ...tariffPublication,
  schema: 4,
  data: z.strictObject({ ...tariffVersion, rules: tariffRules }),
});

export const publicationShapes: readonly EventShape[] = [
  registered,
  routePublishedV1,
  routePublishedV2,
  routePublished,
  routeWithdrawn,
  tariffPublishedV1,
  tariffPublishedV2,
  tariffPublishedV3,
  tariffPublished,
];

/** Each version knows more; what an earlier one says means the same in it. */
export const publicationUpcasts: readonly UpcastStep[] = [
  { type: 'TariffPublished', from: 1, data: (old) => old },
  { type: 'TariffPublished', from: 2, data: (old) => old },
  { type: 'TariffPublished', from: 3, data: (old) => old },
  { type: 'RoutePublished', from: 1, data: (old) => old },
  { type: 'RoutePublished', from: 2, data: (old) => old },
];
