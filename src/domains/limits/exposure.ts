import type { Address, Network } from '../../base/shared/hex.js';

/** Where the unsettled value of one payer at one tenant is held: the row in `hold_totals` that admissions lock. */
export function exposureKey(
  tenant: { readonly id: string; readonly network: Network; readonly asset: Address },
  payer: Address,
): string {
  return `exposure/${tenant.id}/${tenant.network}/${tenant.asset}/${payer}`;
}
