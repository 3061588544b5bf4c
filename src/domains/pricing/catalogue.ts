import type { Route, Tenant } from './catalogue.schemas.js';
import { HostRouter, type Match } from './host-router.js';
import type { Tariff } from './tariff.schemas.js';
import { invoiceRoute, TOP_UP, topUpRoute, topUpTariff } from './top-up.js';

/** One published version of a tariff; it never changes. */
export interface TariffVersion {
  readonly tenant: string;
  readonly id: string;
  readonly version: number;
  /** Milliseconds since the epoch; in force until a later version is. */
  readonly effectiveFrom: number;
  readonly tariff: Tariff;
}

export interface CatalogueData {
  readonly tenants: readonly Tenant[];
  readonly routes: readonly Route[];
  readonly tariffs: readonly TariffVersion[];
  readonly formerTariffs?: readonly FormerTariff[];
}

/** A tariff that a route named before it was moved to another one. */
export interface FormerTariff {
  readonly tenant: string;
  readonly route: string;
  readonly tariff: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** A route that is not served, because no price could be named for it or it cannot be told from another. */
export interface LeftOut {
  readonly tenant: string;
  readonly route: string;
  readonly reason: string;
}

const ANY_HOST = '*';

/** What a gateway serves and for how much: immutable, compiled whenever something was published. */
export interface Catalogue {
  /** Tenant of a `Host` field value (port and case do not count), else the tenant of `*`. */
  tenantFor(host: string): Tenant | undefined;
  tenantOf(id: string): Tenant | undefined;
  /** `path` is the path of the request target as sent, without query. Nothing is normalised: unknown spellings match nothing. */
  match(host: string, method: string, path: string): Match | 'method_not_allowed' | undefined;
  /** For the `Allow` field of a 405. */
  allowedMethods(host: string, path: string): readonly string[];
  /** Version in force at a moment (milliseconds), or `undefined` before the first. */
  tariffAt(route: TariffOwner, time: number): TariffVersion | undefined;
  /** A version by its number, in force or not: what a quote names. */
  tariffVersion(route: TariffOwner, version: number): TariffVersion | undefined;
  /** Every version in force at some moment from `from` to `to` (milliseconds, both included), oldest first. */
  tariffsInForceWithin(route: TariffOwner, from: number, to: number): readonly TariffVersion[];
  /** What the route named before, within the longest time that an offer stands. */
  formerTariffs(route: Pick<Route, 'tenant' | 'id'>): readonly FormerTariff[];
  /** Ids of the routes that a tariff prices. */
  routesOf(owner: TariffOwner): readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** The tariff a route names: ids are unique within a tenant only. */
export type TariffOwner = Pick<Route, 'tenant' | 'tariff'>;

/** Compiles the published rows. A route that does not fit is left out and listed, never served without a price. */
export function compileCatalogue(data: CatalogueData): Catalogue {
  const versions = groupVersions(data.tariffs);
  const versionsOf = (owner: TariffOwner) =>
    versions.get(tariffKey(owner.tenant, owner.tariff)) ?? (owner.tariff === TOP_UP ? [topUpTariff(owner.tenant)] : []);
  const former = data.formerTariffs ?? [];
  const hosts = new Map<string, HostRouter>();
  for (const tenant of data.tenants) if (!hosts.has(tenant.host)) hosts.set(tenant.host, new HostRouter(tenant));
  for (const router of hosts.values()) {
    for (const route of [topUpRoute, invoiceRoute]) router.add(route(router.tenant.id));
  }
  const leftOut = addRoutes(data, hosts, versionsOf);
  const routerFor = (host: string) => hosts.get(hostName(host)) ?? hosts.get(ANY_HOST);
  return {
    leftOut,
    tenantFor: (host) => routerFor(host)?.tenant,
    tenantOf: (id) => data.tenants.find((tenant) => tenant.id === id),
    match(host, method, path) {
      const router = routerFor(host);
      const match = router?.match(method, path);
      if (router === undefined || match !== undefined) return match;
      return router.allowedMethods(path).length > 0 ? 'method_not_allowed' : undefined;
    },
    allowedMethods: (host, path) => routerFor(host)?.allowedMethods(path) ?? [],
    tariffAt: (owner, time) => versionsOf(owner).findLast((version) => version.effectiveFrom <= time),
    tariffVersion: (owner, number) => versionsOf(owner).find(({ version }) => version === number),
    routesOf: ({ tariff, tenant }) =>
      data.routes.filter((route) => route.tenant === tenant && route.tariff === tariff).map(({ id }) => id),
    formerTariffs: ({ id, tenant }) =>
      former.length === 0 ? former : former.filter((one) => one.tenant === tenant && one.route === id),
    tariffsInForceWithin: (owner, from, to) => inForceWithin(versionsOf(owner), from, to),
  };
}

function addRoutes(
  { routes, tenants }: CatalogueData,
  hosts: ReadonlyMap<string, HostRouter>,
  versionsOf: (owner: TariffOwner) => readonly TariffVersion[],
): readonly LeftOut[] {
  const hostOf = new Map(tenants.map((tenant) => [tenant.id, tenant.host]));
  const leftOut: LeftOut[] = [];
  for (const route of routes) {
    const router = hosts.get(hostOf.get(route.tenant) ?? '');
    const reason = addRoute(route, router, versionsOf(route));
    if (reason !== undefined) leftOut.push({ tenant: route.tenant, route: route.id, reason });
  }
  return leftOut;
}

function addRoute(
  route: Route,
  router: HostRouter | undefined,
  versions: readonly TariffVersion[],
): string | undefined {
  if (router?.tenant.id !== route.tenant) return 'its tenant is not registered, or shares a host with another';
  if (versions.length === 0) return `tariff ${route.tariff} is not published`;
  return router.add(route);
}

/** Ascending: a later start wins, and of two with one start the later version. */
function groupVersions(all: readonly TariffVersion[]): ReadonlyMap<string, readonly TariffVersion[]> {
  const groups = new Map<string, TariffVersion[]>();
  for (const version of all) {
    const key = tariffKey(version.tenant, version.id);
    groups.set(key, [...(groups.get(key) ?? []), version]);
  }
  for (const list of groups.values()) list.sort((a, b) => a.effectiveFrom - b.effectiveFrom || a.version - b.version);
  return groups;
}

/** A version that a later one replaced from its very start was never in force. */
function inForceWithin(ascending: readonly TariffVersion[], from: number, to: number): readonly TariffVersion[] {
  return ascending.filter((version, index) => {
    const end = ascending[index + 1]?.effectiveFrom ?? Number.POSITIVE_INFINITY;
    return version.effectiveFrom <= to && end > from && end > version.effectiveFrom;
  });
}

function tariffKey(tenant: string, id: string): string {
  return `${tenant}/${id}`;
}

function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:[0-9]*$/, '')
    .replace(/\.$/, '');
}
