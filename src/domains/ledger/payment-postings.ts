import type { StoredEvent } from '../../base/event-store/event.js';
import { assertNever } from '../../base/shared/assert-never.js';
import { exposureOf } from '../payments/payment.holds.js';
import type { PaymentAuthorized } from '../payments/payment.js';
import { beforeStep, type PaidBefore } from './before-postings.js';
import { tokenAsset } from './chart.js';
import { Lines, type Pending } from './lines.js';
import {
  chargeOf,
  collectionOf,
  deferredOf,
  depositOf,
  type Later,
  type NoRefund,
  type Posting,
  payoutOf,
  REFUNDS,
  REVENUE,
  receivableOf,
  reversalOf,
  type Terms,
  transitOf,
  WRITE_OFF,
} from './payment-entries.js';
import { isRefundPosting, postRefund } from './refund-postings.js';
import { type TopUp, depositOf as topUpDepositOf, topUpStep } from './top-up-postings.js';
import type { Transfer } from './transfer.js';

/** Delivered before it is settled, within the payer's exposure: owed until it is collected. */
interface OnCredit extends Terms {
  readonly flow: 'on_credit';
  readonly charge?: Pending;
  readonly collection?: Pending;
}

/** Answered only once it is settled. `returned`: its block is gone, and the answer is out. */
interface PaidFirst extends Terms {
  readonly flow: 'paid_first';
  readonly deposit?: Pending;
  readonly returned?: boolean;
}

/** What the postings of a payment's next event depend on. */
export type PaymentBook = OnCredit | PaidFirst | PaidBefore | TopUp;

export interface Posted {
  readonly state: PaymentBook;
  readonly transfers: readonly Transfer[];
}

/**
 * Pure: what one event of a payment moves, given those before it.
 *
 * @param state `undefined` before the first event
 * @throws if the event does not fit what was posted before it: the log is corrupt
 */
export function postPayment(state: PaymentBook | undefined, stored: StoredEvent): Posted {
  const event = { type: stored.type, data: stored.data } as unknown as Posting;
  if (event.type === 'PaymentAuthorized') return begin(stored, event.data);
  if (!state) throw new Error(`${stored.type} at ${stored.position} comes before its authorization`);
  const lines = new Lines(stored, state.book, state.amount);
  return { state: step(state, event, lines), transfers: lines.transfers };
}

function step(state: PaymentBook, event: Later, lines: Lines): PaymentBook {
  if (state.flow === 'top_up') return topUpStep(state, event, lines);
  if (state.flow === 'paid_before') return beforeStep(state, event, lines);
  if (isRefundPosting(event)) {
    postRefund(event, state.payee, REFUNDS, lines);
    return state;
  }
  // What is only asked for moves nothing.
  if (event.type === 'RefundRequested') return state;
  return state.flow === 'on_credit' ? creditStep(state, event, lines) : paidStep(state, event, lines);
}

function begin(stored: StoredEvent, authorized: PaymentAuthorized['data']): Posted {
  const { terms } = authorized;
  const { payee, payer } = terms;
  const book = { tenant: stored.tenant, asset: tokenAsset(terms.network, terms.asset) };
  const known: Terms = { book, amount: BigInt(terms.amount), payer, payee };
  const lines = new Lines(stored, book, known.amount);
  return { state: bookOf(known, authorized, lines), transfers: lines.transfers };
}

function bookOf(terms: Terms, authorized: PaymentAuthorized['data'], lines: Lines): PaymentBook {
  if (exposureOf(authorized).length > 0) return { ...terms, flow: 'on_credit', charge: lines.pending(chargeOf(terms)) };
  if (authorized.account !== undefined) {
    const topUp: TopUp = { ...terms, flow: 'top_up', customer: authorized.account };
    return { ...topUp, deposit: lines.pending(topUpDepositOf(topUp)) };
  }
  const deposit = lines.pending(depositOf(terms));
  if (authorized.mode !== 'before') return { ...terms, flow: 'paid_first', deposit };
  return { ...terms, flow: 'paid_before', deposit, idempotent: authorized.idempotent, refunded: 0n };
}

function creditStep(state: OnCredit, event: NoRefund, lines: Lines): OnCredit {
  switch (event.type) {
    case 'DeliveryRestarted':
      return { ...state, charge: lines.pending(chargeOf(state)) };
    case 'RequestDelivered':
      lines.post(state.charge);
      return { ...state, charge: undefined };
    case 'DeliveryFailed':
    case 'DeliveryInterrupted':
      lines.void(state.charge);
      return { ...state, charge: undefined };
    case 'SettlementSubmitted':
      return state.collection ? state : { ...state, collection: lines.pending(collectionOf(state)) };
    case 'PaymentSettled':
      if (state.collection) lines.post(state.collection);
      else lines.posted(collectionOf(state));
      lines.posted(payoutOf(state));
      return { ...state, collection: undefined };
    case 'PaymentSettlementFailed':
      if (state.collection) lines.void(state.collection);
      return { ...state, collection: undefined };
    case 'SettlementReverted':
      lines.posted(reversalOf(state));
      lines.posted({ code: 'reversal', debit: receivableOf(state), credit: transitOf(state) });
      return { ...state, collection: lines.pending(collectionOf(state)) };
    default:
      return assertNever(event);
  }
}

function paidStep(state: PaidFirst, event: NoRefund, lines: Lines): PaidFirst {
  switch (event.type) {
    case 'DeliveryRestarted':
      return { ...state, deposit: lines.pending(depositOf(state)) };
    case 'RequestDelivered':
    case 'SettlementSubmitted':
      return state;
    case 'DeliveryFailed':
    case 'DeliveryInterrupted':
      lines.void(state.deposit);
      return { ...state, deposit: undefined };
    case 'PaymentSettled':
      return settlePaid(state, lines);
    case 'PaymentSettlementFailed':
      if (state.returned) lines.posted({ code: 'loss', debit: WRITE_OFF, credit: transitOf(state) });
      else lines.void(state.deposit);
      return { ...state, deposit: undefined, returned: false };
    case 'SettlementReverted':
      lines.posted(reversalOf(state));
      return { ...state, returned: true };
    default:
      return assertNever(event);
  }
}

/** Revenue is recognized with the first settlement: then the answer goes out, and a reorganization does not take it back. */
function settlePaid(state: PaidFirst, lines: Lines): PaidFirst {
  if (!state.returned) lines.post(state.deposit);
  lines.posted(payoutOf(state));
  if (!state.returned) lines.posted({ code: 'recognition', debit: deferredOf(state), credit: REVENUE });
  return { ...state, deposit: undefined, returned: false };
}
