import type { Address } from '../../base/shared/hex.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import type { PaymentAuthorized, PaymentEvent } from '../payments/payment.js';
import type { RefundEvent } from '../payments/refund.js';
import type { Account, Book } from './chart.js';
import type { Entry } from './lines.js';

/** Every event of a payment that can move value; a refund that is asked for gives up running what is not delivered. */
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
  'RefundRequested',
  'PaymentRefunded',
  'RefundReverted',
] as const satisfies PaymentEvent['type'][];

export type Posting = Extract<PaymentEvent, { type: (typeof paymentTypes)[number] }>;

/** Any but the first. */
export type Later = Exclude<Posting, PaymentAuthorized>;
/** Those that differ between payment on credit and payment first. */
export type NoRefund = Exclude<Later, RefundEvent>;

/** What every posting of a payment is about. */
export interface Terms {
  readonly book: Book;
  readonly amount: AtomicAmount;
  readonly payer: Address;
  readonly payee: Address;
}

export const REVENUE: Account = { kind: 'revenue', party: '' };
export const REFUNDS: Account = { kind: 'refunds', party: '' };
export const WRITE_OFF: Account = { kind: 'write_off', party: '' };

export const walletOf = ({ payee }: Terms): Account => ({ kind: 'wallet', party: payee });
export const transitOf = ({ payer }: Terms): Account => ({ kind: 'settlement_in_transit', party: payer });
export const receivableOf = ({ payer }: Terms): Account => ({ kind: 'customer_receivable', party: payer });
export const owedOf = ({ payer }: Terms): Account => ({ kind: 'refunds_owed', party: payer });
export const deferredOf = ({ payer }: Terms): Account => ({ kind: 'deferred_revenue', party: payer });

export const chargeOf = (terms: Terms): Entry => ({ code: 'charge', debit: receivableOf(terms), credit: REVENUE });
export const depositOf = (terms: Terms): Entry => ({
  code: 'deposit',
  debit: transitOf(terms),
  credit: deferredOf(terms),
});
export const payoutOf = (terms: Terms): Entry => ({ code: 'payout', debit: walletOf(terms), credit: transitOf(terms) });
export const reversalOf = (terms: Terms): Entry => ({
  code: 'reversal',
  debit: transitOf(terms),
  credit: walletOf(terms),
});
export const collectionOf = (terms: Terms): Entry => ({
  code: 'collection',
  debit: transitOf(terms),
  credit: receivableOf(terms),
});
