import { createHash } from 'node:crypto';
import type { Expected } from '../../base/event-store/expected.js';
import type { Decision } from '../../base/event-store/unit-of-work.js';
import { canonicalJson, type Json } from '../../base/shared/json.js';
import { invalidRequest, Problem } from '../../base/shared/problem.js';
import type { Route, Tenant } from './catalogue.schemas.js';
import { parseTariff } from './check-tariff.js';
import {
  type Published,
  type RouteEvent,
  type RoutePublished,
  type RouteWithdrawn,
  stands,
  type TariffPublished,
  type TenantRegistered,
} from './publication.js';
import type { TariffRules } from './tariff.schemas.js';

/** The upstream's secret may be left away: then the one that stands is kept. */
export type TenantRegistration = Omit<Tenant, 'upstreamSecret'> & Partial<Pick<Tenant, 'upstreamSecret'>>;

export class RegisterTenant {
  constructor(
    readonly tenant: TenantRegistration,
    readonly expected?: Expected,
    /** Taken if no secret is named and none stands. */
    readonly freshSecret?: string,
  ) {}
}

/** The upstream has to know both secrets until every gateway signs with the new one, a moment later. */
export class RotateUpstreamSecret {
  constructor(
    readonly tenant: string,
    readonly secret: string,
    readonly expected?: Expected,
  ) {}
}

export class PublishRoute {
  constructor(
    readonly route: Route,
    readonly expected?: Expected,
  ) {}
}

/** The route is not served any more and its open quotes are worth nothing; requests that run are finished. */
export class WithdrawRoute {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly expected?: Expected,
  ) {}
}

export class PublishTariff {
  constructor(
    readonly tenant: string,
    readonly id: string,
    readonly rules: TariffRules,
    /** Milliseconds since the epoch; not in the past. Absent: at once. */
    readonly effectiveFrom?: number,
    readonly expected?: Expected,
  ) {}
}

const NOTHING: Decision = { events: [] };

/**
 * Registering what already stands changes nothing, so seeding is repeatable.
 * @param standing the upstream's secret, which is beside the log
 */
export function decideRegisterTenant(
  state: Published<TenantRegistered>,
  { freshSecret, tenant }: RegisterTenant,
  _now: number,
  standing: string | undefined,
): Decision {
  const { upstreamSecret: named, ...open } = tenant;
  const secret = named ?? standing ?? freshSecret;
  if (secret === undefined) throw invalidRequest([{ pointer: '#/upstreamSecret', detail: 'is missing' }]);
  return registered(state, open, secret);
}

/** @throws Problem `not_found` */
export function decideRotateSecret(state: Published<TenantRegistered>, { secret }: RotateUpstreamSecret): Decision {
  if (!state.last) throw new Problem('not_found', 'No such tenant');
  const { upstreamSecretFingerprint: _, ...open } = state.last.data;
  return registered(state, open, secret);
}

function registered(
  state: Published<TenantRegistered>,
  open: Omit<Tenant, 'upstreamSecret'>,
  secret: string,
): Decision {
  const data = { ...open, upstreamSecretFingerprint: secretFingerprint(secret) };
  if (same(state.last?.data, data)) return NOTHING;
  const event: TenantRegistered = { type: 'TenantRegistered', schema: 1, data };
  const row = {
    id: open.id,
    host: open.host,
    upstream: open.upstream,
    upstream_secret: secret,
    allow_private_upstream: open.allowPrivateUpstream,
    payee: open.payee,
    network: open.network,
    asset: open.asset,
    revision: state.version + 1,
  };
  return { events: [event], attachments: [{ table: 'tenants', row }] };
}

/** Each change is a new revision; the same route again is none. */
export function decidePublishRoute(state: Published<RouteEvent>, { route }: PublishRoute): Decision {
  if (state.last?.type === 'RoutePublished' && same(state.last.data.route, route)) return NOTHING;
  const revision = state.version + 1;
  const event: RoutePublished = { type: 'RoutePublished', schema: 3, data: { revision, route } };
  const { id, tenant, ...config } = route;
  return { events: [event], attachments: [{ table: 'routes', row: { tenant, id, revision, config } }] };
}

/** What is not published need not be withdrawn. */
export function decideWithdrawRoute(state: Published<RouteEvent>, { id, tenant }: WithdrawRoute): Decision {
  if (!stands(state)) return NOTHING;
  const event: RouteWithdrawn = {
    type: 'RouteWithdrawn',
    schema: 1,
    data: { revision: state.version + 1, tenant, id },
  };
  return { events: [event], removals: [{ table: 'routes', key: { tenant, id } }] };
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
  if (effectiveFrom < now) {
    throw invalidRequest([{ pointer: '#/effectiveFrom', detail: 'lies in the past' }]);
  }
  const version = state.version + 1;
  const from = new Date(effectiveFrom);
  const data = { tenant, id, version, effectiveFrom: from.toISOString(), rules };
  const event: TariffPublished = { type: 'TariffPublished', schema: 4, data };
  return {
    events: [event],
    attachments: [{ table: 'tariffs', row: { tenant, id, version, effective_from: from, rules } }],
  };
}

/** Tells whether a secret changed without telling the secret; safe because the schema asks for a long random one. */
export function secretFingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 16);
}

function same(a: object | undefined, b: object): boolean {
  return a !== undefined && canonicalJson(a as Json) === canonicalJson(b as Json);
}
