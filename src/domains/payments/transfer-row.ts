import type { Attachment } from '../../base/event-store/unit-of-work.js';
import type { WalletTransfer } from './transfer.js';

/** The row that lists show of a transfer, written together with the event that brings it there. @param now epoch milliseconds */
export function transferRow(
  direction: 'in' | 'out',
  tenant: string,
  data: WalletTransfer,
  state: string,
  now: number,
): Attachment {
  const { amount, asset, blockHash, blockNumber, counterparty, logIndex, network, payment, transaction, wallet } = data;
  return {
    table: 'chain_transfers',
    row: {
      ...{ network, transaction, log_index: logIndex, direction, tenant, asset, wallet, counterparty, amount },
      ...{ block_number: blockNumber, block_hash: blockHash, payment: payment ?? null, state },
      found_at: new Date(now),
    },
  };
}
