import type { Address } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import type { Plan } from './payment.decide.js';
import type { Payment, PaymentId } from './payment.js';
import { givingUp, isRefundable, refundBookOf, requestOf, restOf } from './payment.refund.js';
import type {
  RefundCancelled,
  RefundFailed,
  RefundId,
  RefundReason,
  RefundRequested,
  RefundSubmitted,
  RequestedRefund,
} from './refund.js';

/** Keeps the stream of a payment short (docs/adr/0006). */
export const REQUESTS_MAX = 100;

export interface WantedRefund {
  readonly refund: RefundId;
  /** Atomic units, above zero; all that is left if absent. */
  readonly amount?: bigint;
  readonly reason?: RefundReason;
  /** The newest block. */
  readonly block: bigint;
  /** Where the money comes from; the payee's own wallet if absent. `validBefore` in epoch seconds. */
  readonly wallet?: { readonly address: Address; readonly validBefore: bigint };
}

/** Reserves an amount to be given back. Repeatable: the same id asks once. */
export class RequestRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly wanted: WantedRefund,
  ) {}
}

export function decideRequest(state: Payment, { wanted }: RequestRefund): Plan {
  const { block, reason, refund, wallet } = wanted;
  if (state.status === 'unknown') throw new Problem('not_found');
  const known = requestOf(state, refund);
  if (known && !asksTheSame(known, wanted)) throw new Problem('idempotency_key_reused');
  if (known) return { events: [] };
  if (!isRefundable(state)) throw new Problem('payment_not_settled');
  if (refundBookOf(state).requests.length >= REQUESTS_MAX) throw new Problem('too_many_refunds');
  const rest = restOf(state);
  const amount = wanted.amount ?? rest;
  if (amount > rest || amount === 0n) throw new Problem('refund_exceeds_payment', `${rest} can be refunded`);
  const data: RefundRequested['data'] = {
    ...{ refund, amount: amount.toString(), from: wallet ? 'refund_wallet' : 'payee' },
    sender: wallet?.address ?? state.authorized.terms.payee,
    ...(reason && { reason }),
    block: block.toString(),
    ...(wallet && { validBefore: wallet.validBefore.toString() }),
  };
  const event: RefundRequested = { type: 'RefundRequested', schema: 1, data };
  return { events: [event], ...givingUp(state) };
}

function asksTheSame(known: RequestedRefund, { amount, reason, wallet }: WantedRefund): boolean {
  if (amount !== undefined && amount !== BigInt(known.amount)) return false;
  return known.reason === reason && (known.from === 'refund_wallet') === (wallet !== undefined);
}

/** The refund wallet's signature is about to leave this process. A request that was cancelled or given up stays so. */
export class SubmitRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly refund: RefundId,
  ) {}
}

export function decideSubmitRefund(state: Payment, { refund }: SubmitRefund): Plan {
  // While the payment itself is not on the chain there is nothing to give back.
  if (!isRefundable(state) || requestOf(state, refund)?.state !== 'requested') return { events: [] };
  const event: RefundSubmitted = { type: 'RefundSubmitted', schema: 1, data: { refund } };
  return { events: [event] };
}

/** Withdraws a request that nobody can have sent by what is here. The owner of the payee's wallet may send it all the same. */
export class CancelRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly refund: RefundId,
  ) {}
}

export function decideCancel(state: Payment, { refund }: CancelRefund): Plan {
  const known = requestOf(state, refund);
  if (!known) throw new Problem('not_found');
  if (known.state === 'cancelled') return { events: [] };
  if (known.state !== 'requested') throw new Problem('refund_not_cancellable', `it is ${known.state}`);
  const event: RefundCancelled = { type: 'RefundCancelled', schema: 1, data: { refund } };
  return { events: [event] };
}

/** It will never be sent. A refusal by the token proves that only while nobody has seen the signature. */
export class FailRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly failed: RefundFailed['data'],
  ) {}
}

export function decideFailRefund(state: Payment, { failed }: FailRefund): Plan {
  const known = requestOf(state, failed.refund);
  const open = known?.state === 'requested' || (known?.state === 'sent' && failed.reason !== 'rejected_by_token');
  if (!open) return { events: [] };
  const event: RefundFailed = { type: 'RefundFailed', schema: 1, data: failed };
  return { events: [event] };
}
