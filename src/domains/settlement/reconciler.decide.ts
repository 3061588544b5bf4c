import type { TransferLog } from '../../base/chain/transfer-logs.js';
import type { Address } from '../../base/shared/hex.js';
import type { Payment, PaymentSettled } from '../payments/payment.js';
import { refundsOf } from '../payments/payment.refund.js';
import { transferKey } from '../payments/refund.js';
import { unexplained } from '../payments/transfer.decide.js';
import type { TransferEvent, TransferState, WalletTransfer } from '../payments/transfer.js';

export type Direction = 'in' | 'out';

/**
 * What the log says of a transfer that the chain has.
 * - `explained`: a payment was settled, or refunded, by just this transfer.
 * - `in_flight`: it is about to be, or to be released: its payment is not over.
 * - `unexplained`: nothing in the log will ever name it by itself.
 */
export type Judgement = 'explained' | 'in_flight' | 'unexplained';

type Seen = Pick<TransferLog, 'blockHash' | 'logIndex' | 'to' | 'transaction' | 'value'>;

/**
 * Pure. A transfer into a wallet.
 *
 * @param payment that was claimed by the authorization that made it, if one made it
 * @param asset token of the transfer
 * @param time the chain's clock, epoch seconds
 */
export function judgeInbound(seen: Seen, asset: Address, payment: Payment | undefined, time: bigint): Judgement {
  if (payment === undefined || payment.status === 'unknown') return 'unexplained';
  const { idempotent, terms } = payment.authorized;
  // The payer's nonce, but not what was agreed: the payment fails by it.
  if (terms.payee !== seen.to || terms.asset !== asset || BigInt(terms.amount) !== seen.value) return 'unexplained';
  const settled = 'settled' in payment ? payment.settled : undefined;
  if (settled !== undefined) return isSettledBy(settled, seen) ? 'explained' : 'in_flight';
  switch (payment.status) {
    case 'settlement_failed':
    case 'released':
      return 'unexplained';
    case 'interrupted':
      return idempotent && time < BigInt(terms.validBefore) ? 'in_flight' : 'unexplained';
    default:
      return 'in_flight';
  }
}

/** After a reorganization the same transaction may be in another block, which recovery writes down. */
function isSettledBy({ blockHash, logIndex, transaction }: PaymentSettled['data'], seen: Seen): boolean {
  return transaction === seen.transaction && blockHash === seen.blockHash && logIndex === seen.logIndex;
}

/**
 * Pure. A transfer out of a wallet: a refund, or the owner's. One that a reorganization took back is a refund again only when it is
 * recorded again, which for one that nobody had asked for may be never.
 *
 * @param payment that claims it
 */
export function judgeOutbound(
  seen: Pick<Seen, 'blockHash' | 'logIndex' | 'transaction'>,
  payment: Payment | undefined,
): Judgement {
  const refunds = payment === undefined ? [] : refundsOf(payment);
  const stands = refunds.some((one) => transferKey(one) === transferKey(seen) && one.blockHash === seen.blockHash);
  return stands ? 'explained' : 'unexplained';
}

/** Pure. The chain has it and nothing explains it; again, nothing to say. */
export function decideFound(
  state: TransferState,
  direction: Direction,
  data: WalletTransfer,
): readonly TransferEvent[] {
  const standing = direction === 'in' ? state.inbound : state.outbound;
  if (standing?.blockHash === data.blockHash) return [];
  const before = standing === undefined ? [] : decideGone(state, direction, standing.blockHash);
  const type = direction === 'in' ? 'InboundTransferFound' : 'OutboundTransferFound';
  return [...before, { type, schema: 1, data }];
}

/** Pure. The block is gone. What was found again in another one since then stays. */
export function decideGone(state: TransferState, direction: Direction, blockHash: string): readonly TransferEvent[] {
  const data = direction === 'in' ? state.inbound : state.outbound;
  if (data === undefined || data.blockHash !== blockHash) return [];
  if (direction === 'out') return [{ type: 'OutboundTransferReverted', schema: 1, data }];
  return [...unexplained(state), { type: 'InboundTransferReverted', schema: 1, data }];
}

/** Pure. A payment that was taken after the transfer was seen has been settled by it. */
export function decideMatched(state: TransferState): readonly TransferEvent[] {
  const { inbound } = state;
  if (inbound?.payment === undefined) return [];
  const data = { ...inbound, payment: inbound.payment };
  return [...unexplained(state), { type: 'InboundTransferMatched', schema: 1, data }];
}
