import type { Route, Tenant } from './catalogue.schemas.js';
import type { TariffRules } from './tariff.schemas.js';
import type { TariffRulesV2, TariffRulesV3 } from './tariff.shapes.js';
import type { TariffRulesV1 } from './tariff-v1.shapes.js';

/** Events hold no secret: of the upstream's there is a fingerprint, so that a change of it shows. */
export interface TenantRegistered {
  readonly type: 'TenantRegistered';
  readonly schema: 1;
  readonly data: Omit<Tenant, 'upstreamSecret'> & { readonly upstreamSecretFingerprint: string };
}

export interface RoutePublished {
  readonly type: 'RoutePublished';
  readonly schema: 3;
  readonly data: { readonly revision: number; readonly route: Route };
}

/** As stored before version 3. */
export interface RoutePublishedV2 {
  readonly type: 'RoutePublished';
  readonly schema: 2;
  readonly data: {
    readonly revision: number;
    readonly route: Omit<Route, 'mode'> & { readonly mode: Exclude<Route['mode'], 'before'> };
  };
}

/** As stored before version 2. */
export interface RoutePublishedV1 {
  readonly type: 'RoutePublished';
  readonly schema: 1;
  readonly data: {
    readonly revision: number;
    readonly route: Omit<RoutePublishedV2['data']['route'], 'rateLimit' | 'upstreamConcurrency'>;
  };
}

/** It is not served any more; published again, it is the next revision. */
export interface RouteWithdrawn {
  readonly type: 'RouteWithdrawn';
  readonly schema: 1;
  readonly data: { readonly revision: number; readonly tenant: string; readonly id: string };
}

export type RouteEvent = RoutePublished | RouteWithdrawn;

interface TariffVersionData {
  readonly tenant: string;
  readonly id: string;
  readonly version: number;
  /** RFC 3339, UTC. */
  readonly effectiveFrom: string;
}

export interface TariffPublished {
  readonly type: 'TariffPublished';
  readonly schema: 4;
  readonly data: TariffVersionData & { readonly rules: TariffRules };
}

/** As stored before version 4: nothing counted the events of a stream, nor read a trailer. */
export interface TariffPublishedV3 {
  readonly type: 'TariffPublished';
  readonly schema: 3;
  readonly data: TariffVersionData & { readonly rules: TariffRulesV3 };
}

/** As stored before version 3. */
export interface TariffPublishedV2 {
  readonly type: 'TariffPublished';
  readonly schema: 2;
  readonly data: TariffVersionData & { readonly rules: TariffRulesV2 };
}

/** As stored before version 2. */
export interface TariffPublishedV1 {
  readonly type: 'TariffPublished';
  readonly schema: 1;
  readonly data: TariffVersionData & { readonly rules: TariffRulesV1 };
}

export type PublicationEvent = TenantRegistered | RouteEvent | TariffPublished;

export function tenantStream(id: string): string {
  return `tenant/${id}`;
}

export function routeStream(tenant: string, id: string): string {
  return `route/${tenant}/${id}`;
}

export function tariffStream(tenant: string, id: string): string {
  return `tariff/${tenant}/${id}`;
}

/** What a publication stream says now: its last event, and so how many there are. */
export interface Published<E extends PublicationEvent> {
  readonly version: number;
  readonly last: E | undefined;
}

export const unpublished = { version: 0, last: undefined } as const;

/** Whether there is anything published under that name now. */
export function stands({ last }: Published<PublicationEvent>): boolean {
  return last !== undefined && last.type !== 'RouteWithdrawn';
}

/** Folds one event of a `tenant/`, `route/` or `tariff/` stream. */
export function evolvePublished<E extends PublicationEvent>(state: Published<E>, event: E): Published<E> {
  return { version: state.version + 1, last: event };
}
