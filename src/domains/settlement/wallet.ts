import type { Address, Hex, Network } from '../../base/shared/hex.js';

/** An address that tenants are paid at, in one token. */
export interface WalletId {
  readonly network: Network;
  readonly asset: Address;
  readonly wallet: Address;
}

/**
 * What the wallet held before the books began: after `blockNumber` every transfer of it is in some event. It is the book of the
 * tenant that named the wallet first, as is everything in it that is no tenant's payment.
 */
export interface WalletOpened {
  readonly type: 'WalletOpened';
  readonly schema: 1;
  readonly data: WalletId & {
    /** Atomic units. */
    readonly balance: string;
    readonly blockNumber: string;
    readonly blockHash: Hex;
  };
}

export function walletStream({ asset, network, wallet }: WalletId): string {
  return `wallet/${network}/${asset}/${wallet}`;
}
