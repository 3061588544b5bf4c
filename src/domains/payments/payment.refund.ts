import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type { Plan } from './payment.decide.js';
import { creditAccount, releaseAll, takeFromAccount } from './payment.holds.js';
import type { Payment, PaymentId } from './payment.js';
import {
  noRefunds,
  type PaymentRefunded,
  type Refund,
  type RefundBook,
  type RefundId,
  type RefundReverted,
  type RequestedRefund,
  transferKey,
} from './refund.js';
import { newTransfer, type OutboundTransferClaimed, type TransferClaimed, type TransferState } from './transfer.js';

/** A transfer's stream as it was read. */
export interface KnownTransfer {
  readonly version: number;
  readonly state: TransferState;
}

/** A transfer that no event names. */
export const unknownTransfer: KnownTransfer = { version: 0, state: newTransfer };

/**
 * Records that money went back to the payer. Repeatable: the same transfer counts once. Without the request that it
 * fulfils, it fulfils the oldest one that the payee was asked for this very amount by, if there is one.
 */
export class RecordRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly refund: Refund,
    readonly transfer: KnownTransfer = unknownTransfer,
  ) {}
}

export function decideRefund(state: Payment, { paymentId, refund: found, transfer }: RecordRefund): Plan {
  const book = refundBookOf(state);
  if (book.transfers.some((known) => isSameTransfer(known, found))) return { events: [] };
  const request = openRequests(state).find((one) => fulfils(found, one));
  // What was asked for and has been sent is a fact, whatever became of the payment meanwhile.
  if (state.status === 'unknown' || (!request && !isRefundable(state))) throw new Problem('payment_not_settled');
  const { amount, network } = state.authorized.terms;
  const others = openRequests(state).filter((one) => one !== request);
  const taken = refundedBy(state) + sumOf(others);
  if (taken + BigInt(found.amount) > BigInt(amount)) throw new Problem('refund_exceeds_payment');
  const { refund: _, ...unasked } = found;
  const data: Refund = request ? { refund: request.refund, ...unasked } : unasked;
  const event: PaymentRefunded = { type: 'PaymentRefunded', schema: 2, data };
  const refunded = { ...givingUp(state), ...takenBack(takeFromAccount(state.authorized, BigInt(found.amount))) };
  // A transfer that was taken back and is there again is this payment's already. Its stream says so again, if it was read, since the
  // reconciler may take it for the owner's meanwhile.
  if (book.claimed.includes(transferKey(found)) && transfer.version === 0) return { events: [event], ...refunded };
  return { events: [event], ...claimOf(transferStream(network, found), paymentId, transfer), ...refunded };
}

/** The reconciler may have found it before, as the owner's: then that is corrected in the same step. */
function claimOf(
  stream: string,
  payment: PaymentId,
  { state, version }: KnownTransfer,
): Pick<Plan, 'claim' | 'removals'> {
  const { outbound } = state;
  if (outbound === undefined) {
    const claimed: TransferClaimed = { type: 'TransferClaimed', schema: 1, data: { payment } };
    return { claim: { stream, expectedVersion: version, event: claimed } };
  }
  const event: OutboundTransferClaimed = { type: 'OutboundTransferClaimed', schema: 1, data: { ...outbound, payment } };
  const { logIndex, network, transaction } = outbound;
  const key = { network, transaction, log_index: String(logIndex), direction: 'out' };
  return { claim: { stream, expectedVersion: version, event }, removals: [{ table: 'chain_transfers', key }] };
}

function fulfils(found: Refund, { amount, block, from, refund }: RequestedRefund): boolean {
  if (found.refund !== undefined) return found.refund === refund;
  return from === 'payee' && amount === found.amount && BigInt(found.blockNumber) > BigInt(block);
}

/** The block that held the transfer is not in the chain any more. */
export class RevertRefund {
  constructor(
    readonly paymentId: PaymentId,
    readonly refund: Refund,
  ) {}
}

export function decideRevertRefund(state: Payment, { refund }: RevertRefund): Plan {
  const stands = refundsOf(state).find(
    (one) => transferKey(one) === transferKey(refund) && one.blockHash === refund.blockHash,
  );
  if (!stands || state.status === 'unknown') return { events: [] };
  const event: RefundReverted = { type: 'RefundReverted', schema: 1, data: stands };
  return { events: [event], ...takenBack(creditAccount(state.authorized, BigInt(stands.amount))) };
}

/** What makes a Transfer unique on its chain; whoever counts one writes this stream first. */
export function transferStream(network: string, transfer: Pick<Refund, 'logIndex' | 'transaction'>): string {
  return `transfer/${network}/${transferKey(transfer)}`;
}

export type Refundable = Extract<Payment, { status: 'settled' | 'paid' | 'refund_owed' | 'refunded' }>;

/** Whether new refunds of it may be asked for: the payee has the money, and the request does not run right now. */
export function isRefundable(state: Payment): state is Refundable {
  return ['settled', 'paid', 'refund_owed', 'refunded'].includes(state.status);
}

/** The first refund of what was paid and has not run yet gives up running it. */
export function givingUp(state: Payment): Pick<Plan, 'holds'> {
  return state.status === 'paid' ? { holds: releaseAll(state.authorized) } : {};
}

/** What a refund changes of the account that was paid into; a payment has that, or holds to give up, never both. */
function takenBack(holds: readonly HoldRequest[]): Pick<Plan, 'holds'> {
  return holds.length === 0 ? {} : { holds };
}

/** Its digits are in the id. */
export function paymentOfRefund(refund: RefundId): PaymentId {
  return `pay_${refund.split('_')[1]!}`;
}

export function refundBookOf(state: Payment): RefundBook {
  return ('refunds' in state && state.refunds) || noRefunds;
}

/** What the payer has, oldest first. */
export function refundsOf(state: Payment): readonly Refund[] {
  return refundBookOf(state).transfers;
}

/** Atomic units sent back so far. */
export function refundedBy(state: Payment): bigint {
  return sumOf(refundsOf(state));
}

/** Asked for, and neither sent back nor given up: their amounts are spoken for. */
export function openRequests(state: Payment): readonly RequestedRefund[] {
  return refundBookOf(state).requests.filter((one) => one.state === 'requested' || one.state === 'sent');
}

export function requestOf(state: Payment, id: RefundId): RequestedRefund | undefined {
  return refundBookOf(state).requests.find(({ refund }) => refund === id);
}

/** Atomic units that are neither sent back nor spoken for. */
export function restOf(state: Payment): bigint {
  if (state.status === 'unknown') return 0n;
  return BigInt(state.authorized.terms.amount) - refundedBy(state) - sumOf(openRequests(state));
}

function sumOf(refunds: readonly { readonly amount: string }[]): bigint {
  return refunds.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** A transaction that moved to another block has the same logs, maybe under other indices. */
function isSameTransfer(a: Refund, b: Refund): boolean {
  return a.transaction === b.transaction && (a.logIndex === b.logIndex || a.blockHash !== b.blockHash);
}
