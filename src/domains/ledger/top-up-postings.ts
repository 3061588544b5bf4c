import { assertNever } from '../../base/shared/assert-never.js';
import type { Account } from './chart.js';
import type { Entry, Lines, Pending } from './lines.js';
import { type Later, payoutOf, reversalOf, type Terms, transitOf } from './payment-entries.js';
import { isRefundPosting, postRefund } from './refund-postings.js';

/** Paid into an account: nothing is sold, the customer has a balance once the money has moved. */
export interface TopUp extends Terms {
  readonly flow: 'top_up';
  /** Whose balance it is. */
  readonly customer: string;
  readonly deposit?: Pending;
}

/** Pure: what one event of a payment into an account moves, but for the first. */
export function topUpStep(state: TopUp, event: Later, lines: Lines): TopUp {
  if (isRefundPosting(event)) {
    postRefund(event, state.payee, balanceOf(state), lines);
    return state;
  }
  switch (event.type) {
    case 'RefundRequested':
    case 'RequestDelivered':
    case 'SettlementSubmitted':
      return state;
    case 'DeliveryRestarted':
      return { ...state, deposit: lines.pending(depositOf(state)) };
    case 'DeliveryFailed':
    case 'DeliveryInterrupted':
    case 'PaymentSettlementFailed':
      lines.void(state.deposit);
      return { ...state, deposit: undefined };
    case 'PaymentSettled':
      lines.post(state.deposit);
      lines.posted(payoutOf(state));
      return { ...state, deposit: undefined };
    case 'SettlementReverted':
      lines.posted(reversalOf(state));
      lines.posted({ code: 'reversal', debit: balanceOf(state), credit: transitOf(state) });
      return { ...state, deposit: lines.pending(depositOf(state)) };
    default:
      return assertNever(event);
  }
}

export function depositOf(state: TopUp): Entry {
  return { code: 'deposit', debit: transitOf(state), credit: balanceOf(state) };
}

function balanceOf({ customer }: TopUp): Account {
  return { kind: 'prepaid_balance', party: customer };
}
