import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import type { Address, Hex } from '../../base/shared/hex.js';
import { delegationsOf, wasShown } from './delegation.js';
import type { Known, Plan } from './payment.decide.js';
import { creditAccount, releaseAll, releaseExposure, takeExposureAgain, takeFromAccount } from './payment.holds.js';
import type {
  Payment,
  PaymentId,
  PaymentSettled,
  PaymentSettlementFailed,
  SettlementFailure,
  SettlementHeld,
  SettlementReverted,
  SettlementSubmitted,
} from './payment.js';
import { beginProbation, lengthenProbation, shortenProbation } from './probation.js';

/** The payer may not be taken money from now. What was sent to the chain already is not called back. */
export class HoldSettlement {
  constructor(
    readonly paymentId: PaymentId,
    readonly held: SettlementHeld['data'],
    readonly known?: Known,
  ) {}
}

export function decideHold(state: Payment, { held }: HoldSettlement): Plan {
  if (!isUnsent(state) || state.held !== undefined) return { events: [] };
  const event: SettlementHeld = { type: 'SettlementHeld', schema: 1, data: held };
  return { events: [event] };
}

/**
 * A transaction that may pay for this payment is durable and is about to be broadcast. Repeatable: the same hash
 * counts once, and a payment whose fate is known stays as it is.
 */
export class SubmitSettlement {
  constructor(
    readonly paymentId: PaymentId,
    readonly transaction: Hex,
    readonly settler: Address,
    readonly known?: Known,
  ) {}
}

export function decideSubmit(state: Payment, command: SubmitSettlement): Plan {
  if (!isOpen(state)) return { events: [] };
  const { settler, transaction } = command;
  const sent = transactionsOf(state);
  if (sent.includes(transaction)) return { events: [] };
  const data = { transaction, settler, attempt: sent.length + 1 };
  const event: SettlementSubmitted = { type: 'SettlementSubmitted', schema: 1, data };
  return { events: [event] };
}

/**
 * The transfer to the payee, of the exact amount, stands in a block. Gives the payer's exposure back, or shortens its probation, and raises the
 * balance of the account that it was paid into.
 */
export class ConfirmSettlement {
  constructor(
    readonly paymentId: PaymentId,
    readonly settled: PaymentSettled['data'],
    readonly known?: Known,
  ) {}
}

export function decideConfirm(state: Payment, command: ConfirmSettlement): Plan {
  if (!isOpen(state)) return { events: [] };
  const event: PaymentSettled = { type: 'PaymentSettled', schema: 1, data: command.settled };
  const { authorized } = state;
  const holds = authorized.mode === 'async' ? releaseExposure(authorized) : [shortenProbation(authorized)];
  return { events: [event], holds: [...holds, ...creditAccount(authorized)] };
}

/**
 * The transfer will never happen. If another transaction was submitted than those judged, nothing is
 * decided, because that one may still pay. In mode `async` the hold stays: an answer that was delivered and not paid keeps
 * counting against its payer, who is on probation from now on. In mode `before` nothing is run, and all is given back.
 * What a facilitator was told it may broadcast as long as the token takes it: then only what is final fails the payment.
 */
export class FailSettlement {
  constructor(
    readonly paymentId: PaymentId,
    readonly failed: PaymentSettlementFailed['data'],
    /** Transactions that were looked at; none of them can pay for this payment any more. */
    readonly judged: readonly Hex[],
    readonly known?: Known,
  ) {}
}

export function decideFail(state: Payment, command: FailSettlement): Plan {
  if (!isOpen(state) || transactionsOf(state).some((hash) => !command.judged.includes(hash))) return { events: [] };
  if (wasShown(state) && !isFinal(command.failed.reason)) return { events: [] };
  const event: PaymentSettlementFailed = { type: 'PaymentSettlementFailed', schema: 1, data: command.failed };
  return { events: [event], holds: holdsAfterFailure(state) };
}

function holdsAfterFailure({ authorized, status }: OpenPayment): readonly HoldRequest[] {
  if (authorized.mode === 'async') return [beginProbation(authorized)];
  return status === 'awaiting_settlement' ? releaseAll(authorized) : [];
}

/** The block that held the transfer is not in the chain any more. Takes the exposure again, whatever its limit, and what was paid into an account. */
export class RevertSettlement {
  constructor(
    readonly paymentId: PaymentId,
    readonly reverted: SettlementReverted['data'],
    readonly known?: Known,
  ) {}
}

export function decideRevert(state: Payment, command: RevertSettlement): Plan {
  const { blockHash, transaction } = command.reverted;
  const settled = settlementOf(state);
  // A settlement seen again in another block since then is not the one that went away.
  if (settled?.transaction !== transaction || settled.blockHash !== blockHash) return { events: [] };
  const event: SettlementReverted = { type: 'SettlementReverted', schema: 1, data: command.reverted };
  const { authorized } = state as Exclude<Payment, { status: 'unknown' }>;
  const holds = authorized.mode === 'async' ? takeExposureAgain(authorized) : [lengthenProbation(authorized)];
  return { events: [event], holds: [...holds, ...takeFromAccount(authorized)] };
}

/**
 * A payment whose settlement has no outcome yet: delivered, or of mode `before`. One whose block went away while its
 * request runs is open only when that is done.
 */
export type OpenPayment = Extract<
  Payment,
  { status: 'delivered' | 'submitted' | 'awaiting_settlement' | 'undelivered' }
>;

/** The states of open payments, for queries. */
export const OPEN_STATES = [
  'delivered',
  'submitted',
  'awaiting_settlement',
  'undelivered',
] as const satisfies readonly OpenPayment['status'][];

/** The states in which a settlement stands, for queries. */
export const SETTLED_STATES = [
  'settled',
  'paid',
  'delivering',
  'refund_owed',
  'refunded',
] as const satisfies readonly Payment['status'][];

export function isOpen(state: Payment): state is OpenPayment {
  return (OPEN_STATES as readonly Payment['status'][]).includes(state.status);
}

/** Hashes submitted so far, oldest first. */
export function transactionsOf(state: OpenPayment): readonly Hex[] {
  return state.status === 'delivered' ? [] : state.transactions;
}

/** An open payment that nothing was sent for yet, and that nobody else was asked to settle. */
export function isUnsent(
  state: Payment,
): state is Extract<OpenPayment, { status: 'delivered' | 'awaiting_settlement' }> {
  return (
    state.status === 'delivered' ||
    (state.status === 'awaiting_settlement' && state.transactions.length + delegationsOf(state).length === 0)
  );
}

/** The settlement that stands in the log, if there is one. */
export function settlementOf(state: Payment): PaymentSettled['data'] | undefined {
  return 'settled' in state ? state.settled : undefined;
}

/** The token will never take the authorization, whatever the payer does. */
function isFinal(reason: SettlementFailure): boolean {
  return reason !== 'insufficient_funds' && reason !== 'rejected_by_token';
}
