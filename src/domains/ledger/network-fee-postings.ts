import type { StoredEvent } from '../../base/event-store/event.js';
import type { NetworkFee, NetworkFeeEvent } from '../settlement/network-fee.js';
import { gasAsset } from './chart.js';
import { Lines } from './lines.js';
import type { Transfer } from './transfer.js';

export const networkFeeTypes = ['NetworkFeePaid', 'NetworkFeeReversed'] as const satisfies NetworkFeeEvent['type'][];

export function isNetworkFee(event: StoredEvent): boolean {
  return (networkFeeTypes as readonly string[]).includes(event.type);
}

/** Pure: gas that the settler spent for one tenant, or got back because the block is gone. */
export function postNetworkFee(event: StoredEvent): readonly Transfer[] {
  const { network, settler, share } = event.data as unknown as NetworkFee;
  const book = { tenant: event.tenant, asset: gasAsset(network) };
  const lines = new Lines(event, book, BigInt(share));
  const expense = { kind: 'network_fees', party: '' } as const;
  const wallet = { kind: 'gas_wallet', party: settler } as const;
  if (event.type === 'NetworkFeePaid') lines.posted({ code: 'network_fee', debit: expense, credit: wallet });
  else lines.posted({ code: 'network_fee_reversal', debit: wallet, credit: expense });
  return lines.transfers;
}
