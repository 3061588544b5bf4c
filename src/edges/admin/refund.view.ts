import { transferUri, type UnsignedTransfer } from '../../base/chain/unsigned-transfer.js';
import { refundBookOf } from '../../domains/payments/payment.refund.js';
import { type Refund, type RefundState, type RequestedRefund, unaskedRefundId } from '../../domains/payments/refund.js';
import type { Known } from '../../domains/payments/refunds.js';

export interface RefundView {
  readonly id: string;
  readonly payment: string;
  readonly state: RefundState;
  readonly from: 'refund_wallet' | 'payee';
  readonly network: string;
  readonly asset: string;
  /** Atomic units. */
  readonly amount: string;
  readonly sender: string;
  readonly recipient: string;
  readonly reason: string | null;
  /** Epoch seconds; after it the refund wallet's authorization cannot be used any more. */
  readonly valid_before: string | null;
  readonly failure: { readonly reason: string; readonly detail: string | null } | null;
  readonly transaction: string | null;
  readonly log_index: number | null;
  readonly block_number: string | null;
  readonly block_hash: string | null;
}

/** What the owner of the payee's wallet needs to send it. */
export interface ToBeSigned {
  readonly unsigned_transaction: UnsignedTransfer;
  /** EIP-681. */
  readonly uri: string;
}

/** Those that were asked for first, then those that were sent unasked; each kind oldest first. */
export function refundViews(payment: string, state: Known): readonly RefundView[] {
  const { requests, transfers } = refundBookOf(state);
  const unasked = transfers.filter(({ refund }) => refund === undefined);
  return [
    ...requests.map((request) => requestedView(payment, state, request)),
    ...unasked.map((refund) => transferView(payment, state, refund)),
  ];
}

export function requestedView(payment: string, state: Known, request: RequestedRefund): RefundView {
  const { amount, failed, from, reason, refund, sender, validBefore } = request;
  const transfer = refundBookOf(state).transfers.find((one) => one.refund === refund);
  return {
    ...{ id: refund, payment, state: request.state, from, ...moneyOf(state, amount, sender) },
    reason: reason ?? null,
    valid_before: validBefore ?? null,
    failure: failed ? { reason: failed.reason, detail: failed.detail ?? null } : null,
    ...placeOf(transfer),
  };
}

/** Of a recorded transfer, whether or not it was asked for. */
export function transferView(payment: string, state: Known, transfer: Refund): RefundView {
  const request = refundBookOf(state).requests.find(({ refund }) => refund === transfer.refund);
  if (request) return requestedView(payment, state, request);
  const { amount, sender = state.authorized.terms.payee } = transfer;
  const from = transfer.sender === undefined ? 'payee' : 'refund_wallet';
  return {
    ...{ id: unaskedRefundId(payment, transfer), payment, state: 'refunded', from, ...moneyOf(state, amount, sender) },
    ...{ reason: null, valid_before: null, failure: null },
    ...placeOf(transfer),
  };
}

export function toBeSigned(state: Known, { amount }: RequestedRefund, unsigned: UnsignedTransfer): ToBeSigned {
  const { asset: address, network, payer } = state.authorized.terms;
  const uri = transferUri({ token: { address, network }, to: payer, value: BigInt(amount) });
  return { unsigned_transaction: unsigned, uri };
}

function moneyOf({ authorized }: Known, amount: string, sender: string) {
  const { asset, network, payer } = authorized.terms;
  return { network, asset, amount, sender, recipient: payer };
}

function placeOf(transfer: Refund | undefined) {
  return {
    transaction: transfer?.transaction ?? null,
    log_index: transfer?.logIndex ?? null,
    block_number: transfer?.blockNumber ?? null,
    block_hash: transfer?.blockHash ?? null,
  };
}
