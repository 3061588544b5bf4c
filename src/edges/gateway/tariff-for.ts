import type { Catalogue, TariffVersion } from '../../domains/pricing/catalogue.js';
import type { CircumstancesPort } from '../../domains/pricing/circumstances.port.js';
import type { Caller } from './caller.js';
import type { PaidCall } from './paid-call.js';

/**
 * The version of a tariff that is in force for this caller: its own, once it has proven who it is and its own has
 * begun; else the route's. @param now epoch milliseconds
 */
export function tariffFor(
  { route, tenant }: PaidCall,
  caller: Caller | undefined,
  catalogue: Catalogue,
  circumstances: Pick<CircumstancesPort, 'ownTariff'>,
  now: number,
): TariffVersion | undefined {
  const own = caller?.proven ? circumstances.ownTariff(caller.payer, route) : undefined;
  const version = own === undefined ? undefined : catalogue.tariffAt({ tenant: tenant.id, tariff: own }, now);
  return version ?? catalogue.tariffAt(route, now);
}
