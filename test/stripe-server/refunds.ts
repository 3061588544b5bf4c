import { type Account, thing } from './account.js';
import { type Form, textOf, textsOf } from './form.js';
import type { Charge, Refund } from './objects.js';
import { take } from './outcomes.js';
import { invalid, missing } from './stripe-error.js';

export function createRefund(account: Account, form: Form): Refund {
  const intent = textOf(form, 'payment_intent') ?? '';
  const charge = account.charges.get(account.intents.get(intent)?.latest_charge ?? '');
  if (!charge) throw missing('payment_intent', intent, 'payment_intent');
  const amount = Number(textOf(form, 'amount') ?? charge.amount - charge.amount_refunded);
  check(charge, amount);
  const outcome = take(account.refundOutcomes) ?? 'succeed';
  if (outcome === 'refuse') throw invalid('Insufficient funds in your Stripe balance.', 'balance_insufficient');
  const { currency, id } = charge;
  const refund: Refund = {
    ...thing('refund', 're', textsOf(form, 'metadata')),
    ...{ amount, currency, charge: id, payment_intent: intent, balance_transaction: null },
    status: outcome === 'succeed' ? 'succeeded' : 'pending',
  };
  account.refunds.set(refund.id, refund);
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount;
  const category = { type: 'refund', reporting_category: 'refund' } as const;
  refund.balance_transaction = account.move({ amount: -amount, fee: 0, currency, source: refund.id, ...category }).id;
  account.tell('refund.created', refund);
  account.tell('charge.refunded', charge);
  if (outcome === 'fail') finishRefund(account, refund, 'failed');
  return refund;
}

function check(charge: Charge, amount: number): void {
  if (charge.status !== 'succeeded') throw invalid('This PaymentIntent does not have a successful charge to refund.');
  if (charge.disputed)
    throw invalid(`Charge ${charge.id} has been charged back; cannot issue a refund.`, 'charge_disputed');
  if (charge.refunded) throw invalid(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
  if (!Number.isSafeInteger(amount) || amount <= 0)
    throw invalid('Invalid integer', 'parameter_invalid_integer', 'amount');
  if (amount > charge.amount - charge.amount_refunded) {
    throw invalid('Refund amount is greater than unrefunded amount on charge', undefined, 'amount');
  }
}

/** The bank took it, or sent it back. */
export function finishRefund(account: Account, refund: Refund, status: 'succeeded' | 'failed'): void {
  refund.status = status;
  if (status === 'failed') {
    refund.failure_reason = 'expired_or_canceled_card';
    const charge = account.charges.get(refund.charge)!;
    charge.amount_refunded -= refund.amount;
    charge.refunded = false;
    const category = { type: 'refund_failure', reporting_category: 'refund_failure' } as const;
    account.move({ amount: refund.amount, fee: 0, currency: refund.currency, source: refund.id, ...category });
    account.tell('refund.failed', refund);
  }
  account.tell('refund.updated', refund);
}
