import { type Account, thing } from './account.js';
import { type Form, textOf, textsOf } from './form.js';
import type { Charge, PaymentError, PaymentIntent } from './objects.js';
import { type CardOutcome, take } from './outcomes.js';
import { invalid, missing, StripeError } from './stripe-error.js';

const LEAST = 50;
const MOST = 99_999_999;

/** Creates and confirms: the way of one who has the card and not its holder. */
export function createIntent(account: Account, form: Form): PaymentIntent {
  const intent = checked(account, form);
  account.intents.set(intent.id, intent);
  account.tell('payment_intent.created', intent);
  if (textOf(form, 'confirm') !== 'true') return intent;
  const outcome = take(account.outcomes.get(intent.payment_method) ?? account.outcomes.get('default'));
  confirm(account, intent, outcome ?? { kind: 'succeed' });
  const { last_payment_error: error } = intent;
  if (error) throw new StripeError(402, { ...error, payment_intent: structuredClone(intent) });
  return intent;
}

function checked(account: Account, form: Form): PaymentIntent {
  const [amount, currency] = [Number(textOf(form, 'amount')), textOf(form, 'currency')];
  if (!Number.isSafeInteger(amount) || amount <= 0)
    throw invalid('Invalid integer', 'parameter_invalid_integer', 'amount');
  if (!currency || currency !== currency.toLowerCase()) throw invalid('Invalid currency', undefined, 'currency');
  if (amount < LEAST) throw invalid('Amount must be at least $0.50 usd', 'amount_too_small', 'amount');
  if (amount > MOST) throw invalid('Amount must be no more than $999,999.99', 'amount_too_large', 'amount');
  const id = textOf(form, 'payment_method') ?? '';
  const method = account.methods.get(id);
  if (!method) throw missing('PaymentMethod', id, 'payment_method');
  const customer = textOf(form, 'customer') ?? null;
  if (method.customer === null)
    throw invalid('The provided PaymentMethod was detached from a Customer and may not be used again.');
  if (method.customer !== customer) throw invalid('The PaymentMethod does not belong to the Customer you supplied.');
  return {
    ...thing('payment_intent', 'pi', textsOf(form, 'metadata')),
    ...{ amount, currency, customer, payment_method: id, description: textOf(form, 'description') ?? null },
    ...{ capture_method: textOf(form, 'capture_method') ?? 'automatic_async', amount_received: 0, latest_charge: null },
    ...{ last_payment_error: null, status: 'requires_confirmation' },
  };
}

/** What comes of a confirmation, now or, of one under way, later. */
export function confirm(account: Account, intent: PaymentIntent, outcome: CardOutcome): void {
  switch (outcome.kind) {
    case 'not_confirmed':
      return;
    case 'process':
      intent.status = 'processing';
      account.tell('payment_intent.processing', intent);
      return;
    case 'succeed':
      succeed(account, intent);
      return;
    case 'require_action':
      fail(account, intent, 'authentication_required', 'authentication_required');
      return;
    case 'decline': {
      const { advice_code, code = 'card_declined', decline_code = 'generic_decline' } = outcome;
      fail(account, intent, code, decline_code, advice_code);
    }
  }
}

function succeed(account: Account, intent: PaymentIntent): void {
  const charge = charged(intent, null);
  account.charges.set(charge.id, charge);
  const enter = () => {
    const { amount, currency, id: source } = charge;
    const fee = Math.floor((amount * 29 + 500) / 1000) + 30;
    const category = { type: 'charge', reporting_category: 'charge' } as const;
    charge.balance_transaction = account.move({ amount, fee, currency, source, ...category }).id;
  };
  if (intent.capture_method === 'automatic') enter();
  else setTimeout(enter, 200);
  Object.assign(intent, { status: 'succeeded', amount_received: intent.amount, last_payment_error: null });
  intent.latest_charge = charge.id;
  account.tell('charge.succeeded', charge);
  account.tell('payment_intent.succeeded', intent);
}

function fail(account: Account, intent: PaymentIntent, code: string, decline_code: string, advice_code?: string): void {
  const message = code === 'authentication_required' ? 'Authentication required.' : 'Your card was declined.';
  const error: PaymentError = { type: 'card_error', code, decline_code, advice_code, message };
  const charge = charged(intent, code);
  account.charges.set(charge.id, charge);
  Object.assign(intent, { status: 'requires_payment_method', last_payment_error: error, latest_charge: charge.id });
  account.tell('charge.failed', charge);
  account.tell('payment_intent.payment_failed', intent);
}

function charged(intent: PaymentIntent, failure_code: string | null): Charge {
  const { amount, currency, customer, id, metadata, payment_method } = intent;
  return {
    ...thing('charge', 'ch', metadata),
    ...{ amount, currency, customer, payment_intent: id, payment_method, failure_code },
    ...{ paid: failure_code === null, status: failure_code === null ? 'succeeded' : 'failed' },
    ...{ amount_refunded: 0, refunded: false, disputed: false, balance_transaction: null },
  };
}

export function cancelIntent(account: Account, intent: PaymentIntent): PaymentIntent {
  if (intent.status === 'succeeded') {
    throw invalid('You cannot cancel this PaymentIntent because it has succeeded.', 'payment_intent_unexpected_state');
  }
  intent.status = 'canceled';
  account.tell('payment_intent.canceled', intent);
  return intent;
}
