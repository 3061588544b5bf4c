import { createHash } from 'node:crypto';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';
import type { Route, Tenant } from './catalogue.schemas.js';
import { parseTariff } from './check-tariff.js';
import type { Published, RoutePublished, TariffPublished, TenantRegistered } from './publication.js';
import type { TariffRules } from './tariff.schemas.js';

export class RegisterTenant {
  constructor(readonly tenant: Tenant) {}
}

export class PublishRoute {
  constructor(readonly route: Route) {}
}

export class PublishTariff {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly rules: TariffRules,
    /** Milliseconds since the epoch; not in the past. Absent: at once. */
    readonly effectiveFrom?: number,
  ) {}
}

const NOTHING: Decision = { events: [] };

/** Registering what already stands changes nothing, so seeding is repeatable. */
export function decideRegisterTenant(state: Published<TenantRegistered>, { tenant }: RegisterTenant): Decision {
  const { upstreamSecret, ...open } = tenant;
  const data = { ...open, upstreamSecretFingerprint: fingerprint(upstreamSecret) };
  if (same(state.last?.data, data)) return NOTHING;
  const event: TenantRegistered = { type: 'TenantRegistered', schema: 1, data };
  const row = {
    id: tenant.id,
    host: tenant.host,
    upstream: tenant.upstream,
    upstream_secret: upstreamSecret,
    allow_private_upstream: tenant.allowPrivateUpstream,
    payee: tenant.payee,
    network: tenant.network,
    asset: tenant.asset,
    revision: state.version + 1,
  };
  return { events: [event], attachments: [{ table: 'tenants', row }] };
}

/** Each change is a new revision; the same route again is none. */
export function decidePublishRoute(state: Published<RoutePublished>, { route }: PublishRoute): Decision {
  if (same(state.last?.data.route, route)) return NOTHING;
  const revision = state.version + 1;
  const event: RoutePublished = { type: 'RoutePublished', schema: 1, data: { revision, route } };
  const { id, tenant, ...config } = route;
  return { events: [event], attachments: [{ table: 'routes', row: { tenant, id, revision, config } }] };
}

/**
 * A tariff version is immutable, so any change is a new version. Throws `Problem` (invalid_request) for rules that must
 * not be published and for a start in the past, which would change prices already asked.
 */
export function decidePublishTariff(state: Published<TariffPublished>, command: PublishTariff, now: number): Decision {
  const { tenant, id, rules, effectiveFrom = now } = command;
  parseTariff(rules);
  const last = state.last?.data;
  if (last !== undefined && same(last.rules, rules) && Date.parse(last.effectiveFrom) <= effectiveFrom) return NOTHING;
  if (effectiveFrom < now) throw new Problem('invalid_request', 'effectiveFrom: lies in the past');
  const version = state.version + 1;
  const from = new Date(effectiveFrom);
  const data = { tenant, id, version, effectiveFrom: from.toISOString(), rules };
  const event: TariffPublished = { type: 'TariffPublished', schema: 2, data };
  return {
    events: [event],
    attachments: [{ table: 'tariffs', row: { tenant, id, version, effective_from: from, rules } }],
  };
}

/** Tells whether a secret changed without telling the secret; safe because the schema asks for a long random one. */
function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 16);
}

function same(a: object | undefined, b: object): boolean {
  return a !== undefined && canonicalJson(a as Json) === canonicalJson(b as Json);
}
