import type { Catalogue, TariffVersion } from '../../domains/pricing/catalogue.js';
import type { CircumstancesPort } from '../../domains/pricing/circumstances.port.js';
import { tariffInForce } from '../../domains/pricing/whose-tariff.js';
import type { Caller } from './caller.js';
import type { PaidCall } from './paid-call.js';

/** The version of a tariff that is in force for this caller, its own only if it has proven who it is. @param now epoch milliseconds */
export function tariffFor(
  { route }: PaidCall,
  caller: Caller | undefined,
  catalogue: Catalogue,
  circumstances: Pick<CircumstancesPort, 'ownTariff'>,
  now: number,
): TariffVersion | undefined {
  const own = caller?.proven ? circumstances.ownTariff(caller.payer, route) : undefined;
  return tariffInForce(catalogue, route, own, now);
}
