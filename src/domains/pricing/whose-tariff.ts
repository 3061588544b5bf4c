import type { Catalogue, TariffVersion } from './catalogue.js';
import type { Route } from './catalogue.schemas.js';

/**
 * The version of a tariff that is in force for somebody on a route: that of the tariff of its own, once that has begun;
 * else the route's. `undefined`: neither has begun. @param at epoch milliseconds
 */
export function tariffInForce(
  catalogue: Pick<Catalogue, 'tariffAt'>,
  route: Route,
  own: string | undefined,
  at: number,
): TariffVersion | undefined {
  const version = own === undefined ? undefined : catalogue.tariffAt({ tenant: route.tenant, tariff: own }, at);
  return version ?? catalogue.tariffAt(route, at);
}

/** The routes on which usage counts towards a tariff: those that name it, and those that somebody pays it on as its own. */
export function routesCounted(
  catalogue: Pick<Catalogue, 'routesOf'>,
  tariff: { readonly tenant: string; readonly tariff: string },
  own: readonly string[],
): readonly string[] {
  return [...new Set([...catalogue.routesOf(tariff), ...own])];
}
