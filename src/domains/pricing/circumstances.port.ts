import type { Address } from '../../base/shared/hex.js';
import type { TariffVersion } from './catalogue.js';
import type { Route } from './catalogue.schemas.js';

/** What prices depend on beside the request. Asked on the path of every offer, so neither may wait for anything. */
export interface CircumstancesPort {
  /** Permille of the upstream's concurrency in use, above 1000 when requests queue; 0 for a route without a limit. */
  load(route: Route): number;
  /** The tariff that a customer who has proven who it is pays on a route, if it is not the route's own. */
  ownTariff(payer: Address, route: Route): string | undefined;
  /** Units that a payer used in the current period of a tariff. */
  usedBy(tenant: string, payer: Address, tariff: TariffVersion): bigint;
}
