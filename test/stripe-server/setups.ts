import { type Account, newId, thing } from './account.js';
import { type Form, textOf, textsOf } from './form.js';
import type { Card, Customer, PaymentMethod, SetupIntent } from './objects.js';
import { invalid, missing } from './stripe-error.js';

const VISA: Card = { brand: 'visa', last4: '4242', exp_month: 12, exp_year: 2034 };

export function createCustomer(account: Account, form: Form): Customer {
  const metadata = textsOf(form, 'metadata');
  const customer = { ...thing('customer', 'cus', metadata), description: textOf(form, 'description') ?? null };
  account.customers.set(customer.id, customer);
  account.tell('customer.created', customer);
  return customer;
}

export function createSetup(account: Account, form: Form): SetupIntent {
  const customer = textOf(form, 'customer') ?? null;
  if (customer && !account.customers.has(customer)) throw missing('customer', customer, 'customer');
  const basics = thing('setup_intent', 'seti', textsOf(form, 'metadata'));
  const setup: SetupIntent = {
    ...{ ...basics, client_secret: `${basics.id}_secret_${newId('x').slice(2)}`, customer },
    ...{ usage: textOf(form, 'usage') ?? 'off_session', status: 'requires_payment_method' },
    ...{ payment_method: null, last_setup_error: null },
  };
  account.setups.set(setup.id, setup);
  account.tell('setup_intent.created', setup);
  return setup;
}

/** What the holder of the card does in a browser, with the client secret. */
export function completeSetup(account: Account, setup: SetupIntent, card: Partial<Card> = {}): PaymentMethod {
  if (setup.status !== 'requires_payment_method') throw invalid('This SetupIntent is over.');
  const method = addMethod(account, setup.customer, card);
  Object.assign(setup, { status: 'succeeded', payment_method: method.id, last_setup_error: null });
  account.tell('payment_method.attached', method);
  account.tell('setup_intent.succeeded', setup);
  return method;
}

/** The card is refused; the holder may try another. */
export function failSetup(account: Account, setup: SetupIntent): void {
  setup.last_setup_error = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' };
  account.tell('setup_intent.setup_failed', setup);
}

export function addMethod(account: Account, customer: string | null, card: Partial<Card> = {}): PaymentMethod {
  const method = { ...thing('payment_method', 'pm'), type: 'card', card: { ...VISA, ...card }, customer } as const;
  account.methods.set(method.id, { ...method });
  return account.methods.get(method.id)!;
}

export function detachMethod(account: Account, method: PaymentMethod): PaymentMethod {
  method.customer = null;
  account.tell('payment_method.detached', method);
  return method;
}
