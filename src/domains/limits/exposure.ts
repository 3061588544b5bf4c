import type { Address, Network } from '../../base/shared/hex.js';

const PREFIX = 'exposure/';

/** Where the unsettled value of one payer at one tenant is held: the row in `hold_totals` that admissions lock. */
export function exposureKey(
  tenant: { readonly id: string; readonly network: Network; readonly asset: Address },
  payer: Address,
): string {
  return `${PREFIX}${tenant.id}/${tenant.network}/${tenant.asset}/${payer}`;
}

/** True for keys of unsettled value. Settlement gives it back; what is held under any other key stays used once delivered. */
export function isExposure(key: string): boolean {
  return key.startsWith(PREFIX);
}
