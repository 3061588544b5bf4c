import type Stripe from 'stripe';
import type { CardSetupWord, ChargeWord, DisputeStatus, DisputeWord, RefundWord } from './card-processor.js';

/** Currencies whose smallest unit is another at the processor than in ISO 4217; nothing is charged in them. */
const OTHER_UNITS = new Set(['ISK', 'MGA', 'UGX']);

/** Codes of declines after which the bank never says yes to this card, or asks not to be asked again. */
const FINAL_CODES = new Set([
  ...['card_not_supported', 'currency_not_supported', 'expired_card', 'fraudulent', 'highest_risk_level'],
  ...['incorrect_number', 'invalid_account', 'invalid_number', 'lost_card', 'merchant_blacklist', 'pickup_card'],
  ...['restricted_card', 'revocation_of_all_authorizations', 'revocation_of_authorization', 'stolen_card'],
  ...['stop_payment_order', 'transaction_not_allowed'],
]);

/** Pure. Is an amount of minor units in this currency the same number there? */
export function hasSameUnits(currency: string): boolean {
  return !OTHER_UNITS.has(currency);
}

/** Pure. As the package takes it: what a number cannot hold, above 9 quadrillion units, the processor refuses by far. */
export function wholeNumber(units: bigint): number {
  return Number(units);
}

/** From the least to the most that can have come of a payment. */
const RANKS: readonly string[] = [
  ...['canceled', 'requires_payment_method', 'requires_confirmation'],
  ...['requires_action', 'processing', 'succeeded'],
];

/** Pure. Of several with one id, which only a key that was forgotten too early lets come into being, the one that took money. */
export function bestOf(intents: readonly Stripe.PaymentIntent[]): Stripe.PaymentIntent | undefined {
  return [...intents].sort((a, b) => RANKS.indexOf(b.status) - RANKS.indexOf(a.status))[0];
}

/** Pure. */
export function wordOfIntent(intent: Stripe.PaymentIntent): ChargeWord {
  const { id: processorId, last_payment_error: error, status } = intent;
  switch (status) {
    case 'succeeded':
      return { kind: 'succeeded', processorId, ...feeOf(intent) };
    case 'processing':
      return { kind: 'processing', processorId };
    case 'requires_action':
      return { kind: 'requires_action', processorId };
    case 'canceled':
      return { kind: 'declined', processorId, code: 'canceled', final: false };
    case 'requires_payment_method':
      if (error) return declineOf(error, processorId);
  }
  // It was made and not confirmed, or is in a state that nothing here asks for.
  return { kind: 'unknown', why: `the processor says ${status}` };
}

interface Decline {
  readonly code?: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
}

/** Pure. The code is the bank's where it gave one; its advice goes before what the code usually means. */
export function declineOf({ advice_code, code, decline_code }: Decline, processorId?: string): ChargeWord {
  if (code === 'authentication_required' || decline_code === 'authentication_required') {
    if (processorId !== undefined) return { kind: 'requires_action', processorId };
  }
  const said = decline_code || code || 'card_declined';
  const final = advice_code === 'do_not_try_again' || (advice_code !== 'try_again_later' && FINAL_CODES.has(said));
  return { kind: 'declined', processorId, code: said, final };
}

/** In the currency of the charge, or not at all: a balance may be kept in another. */
function feeOf({ currency, latest_charge: charge }: Stripe.PaymentIntent): { readonly fee?: bigint } {
  const entry = typeof charge === 'object' ? charge?.balance_transaction : undefined;
  if (typeof entry !== 'object' || entry?.currency !== currency) return {};
  return { fee: BigInt(entry.fee) };
}

/** Pure. */
export function wordOfRefund({ failure_reason, id: processorId, status }: Stripe.Refund): RefundWord {
  switch (status) {
    case 'succeeded':
      return { kind: 'succeeded', processorId };
    case 'failed':
    case 'canceled':
      return { kind: 'failed', processorId, code: failure_reason ?? status };
    case 'pending':
    case 'requires_action':
      return { kind: 'processing', processorId };
    default:
      return { kind: 'unknown', why: `the processor says ${status}` };
  }
}

/** Money is gone while an appeal runs, as it is after a dispute that was lost. */
const STATUSES: Record<string, DisputeStatus | undefined> = {
  ...{ needs_response: 'needs_response', under_review: 'under_review', won: 'won', lost: 'lost' },
  ...{ appeal_needs_response: 'lost', appeal_under_review: 'lost' },
};

/** Pure. None for what takes no money: inquiries, and disputes that were prevented. */
export function wordsOfDispute(processorId: string, dispute: Stripe.Dispute): DisputeWord[] {
  const status = STATUSES[dispute.status];
  if (!status) return [];
  const { amount, currency, evidence_details: details, id: disputeId, reason } = dispute;
  const fees = dispute.balance_transactions
    .filter((entry) => entry.currency === currency)
    .map(({ fee }) => BigInt(fee));
  const fee = fees.reduce((sum, one) => sum + one, 0n);
  const due = details.due_by ? { evidenceDue: new Date(details.due_by * 1000).toISOString() } : {};
  return [{ disputeId, processorId, amount: BigInt(amount), fee, reason, status, ...due }];
}

/** Pure. A card that was refused may be followed by another, until the setup is canceled. */
export function wordOfSetup({ last_setup_error: error, payment_method, status }: Stripe.SetupIntent): CardSetupWord {
  if (status === 'succeeded' && payment_method !== null && typeof payment_method !== 'string') {
    const { card, id } = payment_method;
    if (!card) return { kind: 'failed', code: 'not_a_card' };
    const expires = `${card.exp_year}-${String(card.exp_month).padStart(2, '0')}`;
    return { kind: 'ready', method: id, card: { brand: card.brand, last4: card.last4, expires } };
  }
  if (status === 'canceled') return { kind: 'failed', code: 'canceled' };
  if (error) return { kind: 'failed', code: error.decline_code || error.code || 'setup_failed' };
  return { kind: 'waiting' };
}
