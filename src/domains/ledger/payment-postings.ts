import type { StoredEvent } from '../../base/event-store/event.js';
import { assertNever } from '../../base/shared/assert-never.js';
import type { Address } from '../../base/shared/hex.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import { exposureOf } from '../payments/payment.holds.js';
import type { PaymentAuthorized, PaymentEvent } from '../payments/payment.js';
import { type Account, type Book, tokenAsset } from './chart.js';
import { type Entry, Lines, type Pending } from './lines.js';
import { isRefundPosting, postRefund, type RefundPosting, refundTypes } from './refund-postings.js';
import type { Transfer } from './transfer.js';

/** Every event of a payment that can move value. */
export const paymentTypes = [
  'PaymentAuthorized',
  'RequestDelivered',
  'DeliveryFailed',
  'DeliveryInterrupted',
  'DeliveryRestarted',
  'SettlementSubmitted',
  'PaymentSettled',
  'PaymentSettlementFailed',
  'SettlementReverted',
  ...refundTypes,
] as const satisfies PaymentEvent['type'][];

type Posting = Extract<PaymentEvent, { type: (typeof paymentTypes)[number] }>;

interface Terms {
  readonly book: Book;
  readonly amount: AtomicAmount;
  readonly payer: Address;
  readonly payee: Address;
}

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
export type PaymentBook = OnCredit | PaidFirst;

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
  if (isRefundPosting(event)) return { state, transfers: postRefund(stored, event, state.book, state.payee) };
  const lines = new Lines(stored, state.book, state.amount);
  const next = state.flow === 'on_credit' ? creditStep(state, event, lines) : paidStep(state, event, lines);
  return { state: next, transfers: lines.transfers };
}

function begin(stored: StoredEvent, authorized: PaymentAuthorized['data']): Posted {
  const { terms } = authorized;
  const { payee, payer } = terms;
  const book = { tenant: stored.tenant, asset: tokenAsset(terms.network, terms.asset) };
  const known: Terms = { book, amount: BigInt(terms.amount), payer, payee };
  const lines = new Lines(stored, book, known.amount);
  const state: PaymentBook =
    exposureOf(authorized).length === 0
      ? { ...known, flow: 'paid_first', deposit: lines.pending(depositOf(known)) }
      : { ...known, flow: 'on_credit', charge: lines.pending(chargeOf(known)) };
  return { state, transfers: lines.transfers };
}

type Later = Exclude<Posting, PaymentAuthorized | RefundPosting>;

function creditStep(state: OnCredit, event: Later, lines: Lines): OnCredit {
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

function paidStep(state: PaidFirst, event: Later, lines: Lines): PaidFirst {
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

const REVENUE: Account = { kind: 'revenue', party: '' };
const WRITE_OFF: Account = { kind: 'write_off', party: '' };

const walletOf = ({ payee }: Terms): Account => ({ kind: 'wallet', party: payee });
const transitOf = ({ payer }: Terms): Account => ({ kind: 'settlement_in_transit', party: payer });
const receivableOf = ({ payer }: Terms): Account => ({ kind: 'customer_receivable', party: payer });
const deferredOf = ({ payer }: Terms): Account => ({ kind: 'deferred_revenue', party: payer });

const chargeOf = (terms: Terms): Entry => ({ code: 'charge', debit: receivableOf(terms), credit: REVENUE });
const depositOf = (terms: Terms): Entry => ({ code: 'deposit', debit: transitOf(terms), credit: deferredOf(terms) });
const payoutOf = (terms: Terms): Entry => ({ code: 'payout', debit: walletOf(terms), credit: transitOf(terms) });
const reversalOf = (terms: Terms): Entry => ({ code: 'reversal', debit: transitOf(terms), credit: walletOf(terms) });
const collectionOf = (terms: Terms): Entry => ({
  code: 'collection',
  debit: transitOf(terms),
  credit: receivableOf(terms),
});
