import type { Address, Network } from '../../base/shared/hex.js';

const PREFIX = 'exposure/';

interface Token {
  readonly id: string;
  readonly network: Network;
  readonly asset: Address;
}

/** Where the unsettled value of one payer at one tenant is held: the row in `hold_totals` that admissions lock. */
export function exposureKey(tenant: Token, payer: string): string {
  return `${tenantExposureKey(tenant)}/${payer}`;
}

/** Where that of all payers together is held, for tenants that limit it. */
export function tenantExposureKey({ asset, id, network }: Token): string {
  return `${PREFIX}${id}/${network}/${asset}`;
}

/** True for keys of unsettled value. Settlement gives it back; what is held under any other key stays used once delivered. */
export function isExposure(key: string): boolean {
  return key.startsWith(PREFIX);
}
