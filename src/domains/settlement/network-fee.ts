import type { Address, Hex, Network } from '../../base/shared/hex.js';

/** What one transaction in a block cost its settler, and the part of it that falls on one tenant; fees in wei, decimal strings. */
export interface NetworkFee {
  readonly network: Network;
  readonly transaction: Hex;
  readonly settler: Address;
  readonly blockHash: Hex;
  readonly gasUsed: string;
  /** Of the whole transaction: `gasUsed × effectiveGasPrice`, plus `l1Fee` where the receipt has one. */
  readonly fee: string;
  /** Items of this tenant in the transaction. */
  readonly items: number;
  /** All items in the transaction. */
  readonly of: number;
  /** This tenant's part of the fee, by largest remainder over the items. */
  readonly share: string;
}

/** A transaction stands in a block and its gas is spent, whether or not it paid anybody. */
export interface NetworkFeePaid {
  readonly type: 'NetworkFeePaid';
  readonly schema: 1;
  readonly data: NetworkFee;
}

/** The block that held the transaction is not in the chain any more: its gas was not spent. */
export interface NetworkFeeReversed {
  readonly type: 'NetworkFeeReversed';
  readonly schema: 1;
  readonly data: NetworkFee;
}

export type NetworkFeeEvent = NetworkFeePaid | NetworkFeeReversed;

/** One per tenant and transaction. */
export function networkFeeStream(tenant: string, transaction: Hex): string {
  return `network-fee/${tenant}/${transaction}`;
}
