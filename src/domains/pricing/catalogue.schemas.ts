import { z } from 'zod';
import { parseAddress, parseNetwork } from '../../base/shared/hex.js';

/** Ids stand in stream names and quotes, hence no slash and no colon. */
export const idSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/, 'lower-case letters, digits, - and _');

const HOST = /^(?:\*|(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)$/;
/** Literal segments hold unreserved characters only (RFC 3986), so that no percent-encoding spells another literal. */
const PATH = /^\/$|^(?:\/(?::[A-Za-z][A-Za-z0-9_]*|(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+))+$/;

/** Paths that the gateway answers itself; a route there would never be reached. */
export const OWN_PATH = /^\/(?:health|receipts|\.well-known|facilitator|discovery|-\/webhooks)(?:[/?]|$)/;

const address = checked(parseAddress, 'an address of 20 bytes in hex');
const network = checked(parseNetwork, 'a CAIP-2 id of an EVM chain, such as eip155:8453');
const origin = z.string().refine(isOrigin, 'an http or https origin without path, such as https://api.example.com');
const path = z.string().max(512).regex(PATH, 'segments of letters, digits and . _ ~ -, or :name');

export const tenantSchema = z.strictObject({
  id: idSchema,
  /** Lower-case host name without port, or `*` for hosts that no other tenant has. */
  host: z.string().regex(HOST, 'a lower-case host name without port, or *'),
  upstream: origin,
  /** Signs what the upstream is told about the payment; at least 32 characters of randomness. */
  upstreamSecret: z.string().min(32).max(256),
  /** An operator's permission: without it an upstream on a private address is refused. */
  allowPrivateUpstream: z.boolean(),
  payee: address,
  network,
  asset: address,
});

export const routeSchema = z
  .strictObject({
    id: idSchema,
    tenant: idSchema,
    /** GET also serves HEAD, for the same price. */
    methods: z
      .array(z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']))
      .min(1)
      .refine((methods) => new Set(methods).size === methods.length, 'a method is named twice'),
    pattern: path.refine((pattern) => !OWN_PATH.test(pattern), 'a path that the gateway does not answer itself'),
    /** Path at the upstream; may use the params of the pattern. */
    upstreamPath: path,
    /** Goes into the 402 header, which is why it is short and printable. */
    description: z
      .string()
      .max(200)
      .regex(/^[\x20-\x7e]*$/, 'printable ASCII'),
    mimeType: z
      .string()
      .max(100)
      .regex(/^[\w.+-]+\/[\w.+-]+$/, 'a media type without parameters'),
    /** When the money moves: after the answer, before the answer goes out, or before the request runs. */
    mode: z.enum(['async', 'after', 'before']),
    /** True if running it twice does no harm: then an interrupted delivery is run again. */
    idempotent: z.boolean(),
    chargeClientErrors: z.boolean(),
    /** How long an offer stands and an authorization must last, in seconds. */
    maxTimeoutSeconds: z.int().min(5).max(3600),
    /** How long the upstream may take to begin its answer. */
    timeoutMs: z.int().min(1).max(600_000),
    /** Id of a tariff of the same tenant. */
    tariff: idSchema,
    maxBodyBytes: z.int().min(0).max(100_000_000),
    /** Most requests of one caller in a window, over all gateways; offers to strangers are counted apart. */
    rateLimit: z
      .strictObject({ points: z.int().min(1).max(1_000_000_000), seconds: z.int().min(1).max(86_400) })
      .optional(),
    /** What the upstream takes at the same time from one gateway; the paid urgency decides who is next. */
    upstreamConcurrency: z
      .strictObject({
        limit: z.int().min(1).max(10_000),
        /** Most requests that wait. */
        queue: z.int().min(0).max(10_000).default(100),
        /** Longest wait, in milliseconds; never longer than the authorization allows. */
        waitMs: z.int().min(0).max(600_000).default(10_000),
      })
      .optional(),
  })
  .refine((route) => namesIn(route.upstreamPath).every((name) => namesIn(route.pattern).includes(name)), {
    path: ['upstreamPath'],
    message: 'uses a parameter that the pattern does not have',
  })
  .refine((route) => route.maxTimeoutSeconds >= leastTimeoutSeconds(route.timeoutMs), {
    path: ['maxTimeoutSeconds'],
    message: 'must leave time for the upstream and for settlement: timeoutMs plus 6 seconds at least',
  })
  .refine((route) => new Set(namesIn(route.pattern)).size === namesIn(route.pattern).length, {
    path: ['pattern'],
    message: 'names a parameter twice',
  });

/** Least time that an authorization must still last when it arrives, for settling it, in seconds. */
const SETTLEMENT_MARGIN_SECONDS = 6;

/** How long an authorization must last at least, so that there is time to deliver and to settle; seconds. */
export function leastTimeoutSeconds(timeoutMs: number): number {
  return Math.ceil(timeoutMs / 1000) + SETTLEMENT_MARGIN_SECONDS;
}

export type Tenant = Readonly<z.output<typeof tenantSchema>>;
export type Route = Readonly<z.output<typeof routeSchema>>;

function checked<T>(parse: (text: unknown) => T | undefined, message: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text;
}

function namesIn(template: string): readonly string[] {
  return [...template.matchAll(/:(\w+)/g)].map((match) => match[1]!);
}
