import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import { encodeSettlement } from '../../base/x402/payment-response.js';
import type { Payment, PaymentAuthorized, PaymentId } from '../../domains/payments/payment.js';
import { settlementOf } from '../../domains/payments/settle.decide.js';
import { receiptExtension, receiptFacts } from '../../domains/receipts/official-receipt.js';
import type { ReceiptSigner } from '../../domains/receipts/receipt-signer.js';

/** Names the payment in every reply to it, so that a buyer finds `GET /receipts/{id}`. */
export const PAYMENT_ID_HEADER = 'Tollbook-Payment';

/** Says `owed` where a payment was made and nothing was delivered. */
const REFUND_HEADER = 'Tollbook-Refund';

/**
 * The payment headers of an answer. They depend on the payment's events alone, so a repeat gets the same ones: `async`
 * always says pending, since that was so when the answer went out; `after` and `before` name the transaction.
 * @param signer of the official receipt, which only a request that was delivered has
 */
export function paymentHeaders(id: PaymentId, payment: Payment, signer?: ReceiptSigner): Record<string, string> {
  if (payment.status === 'unknown') throw new Error(`${id} has no events`);
  const { authorized } = payment;
  const { network, payer } = authorized.terms;
  const transaction = authorized.mode === 'async' ? undefined : settlementOf(payment)?.transaction;
  const extensions = signer && receiptExtension(signer, receiptFacts(authorized, transaction));
  const answered = { network, payer, amount: BigInt(authorized.terms.amount), extensions };
  const answer = transaction
    ? ({ outcome: 'settled', transaction, ...answered } as const)
    : ({ outcome: 'pending', ...answered } as const);
  return named(id, encodeSettlement(answer, authorized.x402Version));
}

/** The payment headers of a payment that was not made. */
export function failureHeaders(
  id: PaymentId,
  authorized: PaymentAuthorized['data'],
  reason: Reason,
): Record<string, string> {
  const { network, payer } = authorized.terms;
  const answer = { outcome: 'failed', reason, network, payer } as const;
  return named(id, encodeSettlement(answer, authorized.x402Version));
}

/** Of an answer that is not charged: in mode `before` the payment was made all the same. No receipt: nothing was delivered. */
export function releasedHeaders(id: PaymentId, payment: Payment): Record<string, string> {
  if (payment.status !== 'delivering') return { [PAYMENT_ID_HEADER]: id };
  return { ...paymentHeaders(id, payment), [REFUND_HEADER]: 'owed' };
}

/** What is left to say of a payment that was made and bought nothing, with how it was made. */
export function refundOwed(id: PaymentId, payment: Payment, why: string): Problem {
  return new Problem('refund_owed', `${id}: ${why}`, { ...paymentHeaders(id, payment), [REFUND_HEADER]: 'owed' });
}

function named(id: PaymentId, headers: Record<string, string>): Record<string, string> {
  headers[PAYMENT_ID_HEADER] = id;
  return headers;
}
