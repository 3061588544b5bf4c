import { delegationsOf } from './delegation.js';
import type { NotDelivered, Payment, PaymentAuthorized, PaymentEvent, PaymentSettled } from './payment.js';
import { evolveRefunds, noRefunds, type RefundBook, type RefundEvent, refundTypes } from './refund.js';

type State<S extends Payment['status']> = Extract<Payment, { status: S }>;
type Open = State<'awaiting_settlement' | 'undelivered'>;
type GivenUp = State<'undelivered' | 'refund_owed' | 'refunded'>;
type Settled = PaymentSettled['data'];

/** A payment that is settled before its request runs (mode `before`). */
export function beginBefore(authorized: PaymentAuthorized['data']): Payment {
  return { status: 'awaiting_settlement', authorized, transactions: [] };
}

/** Folds one event of a payment in mode `before` whose request is not delivered; `undefined` if it does not fit. */
export function evolveBefore(state: Payment, event: PaymentEvent): Payment | undefined {
  switch (state.status) {
    case 'awaiting_settlement':
      return sending(state, event) ?? whileWaiting(state, event);
    case 'paid':
      return whilePaid(state, event);
    case 'delivering':
      return whileDelivering(state, event);
    case 'undelivered':
      return sending(state, event) ?? whileUndelivered(state, event);
    case 'refund_owed':
    case 'refunded':
      return whileOwed(state, event);
    default:
      return undefined;
  }
}

function sending(state: Open, event: PaymentEvent): Payment | undefined {
  const { held: _, ...unheld } = { held: undefined, ...state };
  switch (event.type) {
    case 'SettlementSubmitted':
      return { ...unheld, transactions: [...state.transactions, event.data.transaction] };
    case 'SettlementDelegated':
      return { ...unheld, delegations: [...delegationsOf(state), event.data] };
    default:
      return undefined;
  }
}

function whileWaiting(state: State<'awaiting_settlement'>, event: PaymentEvent): Payment | undefined {
  switch (event.type) {
    case 'SettlementHeld':
      return { ...state, held: event.data };
    case 'PaymentSettled':
      return { ...sentOf(state), status: 'paid', settled: event.data };
    case 'PaymentSettlementFailed':
      return unserved(state, event.data);
    default:
      return undefined;
  }
}

function whilePaid(state: State<'paid'>, event: PaymentEvent): Payment | undefined {
  switch (event.type) {
    case 'DeliveryStarted':
      return { ...state, status: 'delivering', gateway: event.data.gateway };
    case 'SettlementReverted':
      return { ...sentOf(state), status: 'awaiting_settlement' };
    default:
      // Whoever gives back, or is asked to, what was paid for a request will not run it.
      return isRefund(event)
        ? owing({ ...sentOf(state), reason: 'refunded', refunds: evolveRefunds(noRefunds, event) }, state.settled)
        : undefined;
  }
}

function whileDelivering(state: State<'delivering'>, event: PaymentEvent): Payment | undefined {
  const { settled } = state;
  const sent = sentOf(state);
  switch (event.type) {
    case 'RequestDelivered':
      return settled
        ? { ...sent, status: 'settled', delivered: event.data, settled }
        : { ...sent, status: 'submitted', delivered: event.data };
    case 'DeliveryFailed':
      return owing({ ...sent, reason: event.data.reason }, settled);
    case 'DeliveryInterrupted':
      if (!state.authorized.idempotent) return owing({ ...sent, reason: 'interrupted' }, settled);
      return settled ? { ...sent, status: 'paid', settled } : { ...sent, status: 'awaiting_settlement' };
    case 'SettlementReverted':
      return { ...sent, status: 'delivering', gateway: state.gateway };
    default:
      return undefined;
  }
}

function whileUndelivered(state: State<'undelivered'>, event: PaymentEvent): Payment | undefined {
  if (event.type === 'PaymentSettled') return owing(state, event.data);
  if (event.type === 'PaymentSettlementFailed') return unserved(state, event.data);
  return isRefund(event) ? owing(refunding(state, event), undefined) : undefined;
}

function whileOwed(state: State<'refund_owed' | 'refunded'>, event: PaymentEvent): Payment | undefined {
  if (event.type === 'SettlementReverted') return owing(state, undefined);
  return isRefund(event) ? owing(refunding(state, event), state.settled) : undefined;
}

function isRefund(event: PaymentEvent): event is RefundEvent {
  return (refundTypes as readonly PaymentEvent['type'][]).includes(event.type);
}

function refunding(state: GivenUp, event: RefundEvent): GivenUp {
  return { ...state, refunds: evolveRefunds(state.refunds ?? noRefunds, event) };
}

interface Given extends Pick<State<'paid'>, 'authorized' | 'delegations' | 'transactions'> {
  readonly reason: NotDelivered;
  readonly refunds?: RefundBook;
}

/** What was paid, less what was sent back, is owed; nothing while the chain does not have the settlement. */
function owing(given: Given, settled: Settled | undefined): Payment {
  const { reason, refunds } = given;
  const known = { ...sentOf(given), reason, ...(refunds && { refunds }) };
  if (!settled) return { ...known, status: 'undelivered' };
  const returned = (refunds?.transfers ?? []).reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const status = returned < BigInt(given.authorized.terms.amount) ? 'refund_owed' : 'refunded';
  return { ...known, status, settled };
}

function unserved(state: Open, failed: State<'settlement_failed'>['failed']): Payment {
  const { authorized, delegations } = state;
  const refunds = 'refunds' in state ? state.refunds : undefined;
  return {
    status: 'settlement_failed',
    authorized,
    failed,
    ...(delegations && { delegations }),
    ...(refunds && { refunds }),
  };
}

function sentOf({ authorized, delegations, transactions }: Omit<Given, 'reason'>) {
  return { authorized, transactions, ...(delegations && { delegations }) };
}
