import { delegated } from './delegation.js';
import { beginBefore, evolveBefore } from './payment.before.js';
import type { Payment, PaymentEvent } from './payment.js';
import { evolveRefunds, noRefunds } from './refund.js';

export const initialPayment: Payment = { status: 'unknown' };

type Served = Extract<Payment, { status: 'delivered' | 'submitted' | 'settled' }>;

/** Folds one stored event. An event that does not fit the state means a corrupt log, so it throws. */
export function evolvePayment(state: Payment, event: PaymentEvent): Payment {
  const before = evolveBefore(state, event);
  if (before) return before;
  switch (event.type) {
    case 'PaymentAuthorized':
      if (state.status !== 'unknown') break;
      if (event.data.mode === 'before') return beginBefore(event.data);
      return { status: 'authorized', authorized: event.data, gateway: event.data.gateway };
    case 'DeliveryRestarted':
      if (state.status === 'interrupted') {
        return { status: 'authorized', authorized: state.authorized, gateway: event.data.gateway };
      }
      break;
    case 'RequestDelivered':
      if (state.status === 'authorized') {
        return { status: 'delivered', authorized: state.authorized, delivered: event.data };
      }
      break;
    case 'DeliveryFailed':
      if (state.status === 'authorized') {
        return { status: 'released', authorized: state.authorized, failed: event.data };
      }
      break;
    case 'DeliveryInterrupted':
      if (state.status === 'authorized') {
        return { status: 'interrupted', authorized: state.authorized, gateway: event.data.gateway };
      }
      break;
    case 'SettlementHeld':
      if (state.status === 'delivered') return { ...state, held: event.data };
      break;
    case 'SettlementSubmitted':
      if (state.status === 'delivered' || state.status === 'submitted') {
        const sent = state.status === 'submitted' ? state.transactions : [];
        return { ...servedOf(state), status: 'submitted', transactions: [...sent, event.data.transaction] };
      }
      break;
    case 'SettlementDelegated':
      if (state.status === 'delivered' || state.status === 'submitted') return delegated(state, event.data);
      break;
    case 'PaymentSettled':
      if (state.status === 'delivered' || state.status === 'submitted') {
        const transactions = state.status === 'submitted' ? state.transactions : [];
        return { ...servedOf(state), status: 'settled', settled: event.data, transactions };
      }
      break;
    case 'PaymentSettlementFailed':
      if (state.status === 'delivered' || state.status === 'submitted') {
        return { ...servedOf(state), status: 'settlement_failed', failed: event.data };
      }
      break;
    case 'SettlementReverted':
      if (state.status === 'settled') {
        return { ...servedOf(state), status: 'submitted', transactions: state.transactions };
      }
      break;
    case 'RefundRequested':
    case 'RefundSubmitted':
    case 'RefundCancelled':
    case 'RefundFailed':
    case 'PaymentRefunded':
    case 'RefundReverted':
      // The first one needs a settled payment; what follows it comes whatever became of the settlement.
      if (state.status === 'settled' || ('refunds' in state && state.refunds)) {
        return { ...state, refunds: evolveRefunds(state.refunds ?? noRefunds, event) };
      }
      break;
  }
  throw new Error(`${event.type} does not follow ${state.status}`);
}

function servedOf({ authorized, delegations, delivered, refunds }: Served) {
  return { authorized, delivered, ...(refunds && { refunds }), ...(delegations && { delegations }) };
}
