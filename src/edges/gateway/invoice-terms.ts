import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import { type Invoice, outstandingOf } from '../../domains/invoicing/invoice.evolve.js';
import { queryReader } from '../../domains/pricing/request/query-text.js';
import type { InvoiceDue, PaidCall } from './paid-call.js';
import { jsonAnswer } from './top-ups.js';
import type { WholeAnswer } from './upstream/upstream.js';

const AMOUNT = /^[1-9][0-9]{0,29}$/;

/** What a request for an invoice comes to: so much is asked, or nothing, and why. */
export interface InvoiceTerms {
  /** Of nothing if there is an answer. */
  readonly due: InvoiceDue;
  /** What whoever has not paid is told if nothing is to be paid. */
  readonly instead?: WholeAnswer | Problem;
}

/**
 * Pure: all that is outstanding, or as many minor units of it as the query's `amount` names.
 * @throws Problem `invoice_not_final`, `invalid_request`
 */
export function invoiceTerms(id: string, invoice: Invoice, query: string): InvoiceTerms {
  const { drafted, finalized, state } = invoice;
  if (!finalized) throw new Problem('invoice_not_final', 'The invoice is a draft still, and nothing is to be paid yet');
  const { customer } = drafted;
  const outstanding = outstandingOf(invoice);
  const nothing = (instead: WholeAnswer | Problem) => ({ due: { customer, amount: 0n }, instead });
  if (state === 'void') return nothing(new Problem('invoice_void'));
  if (outstanding === 0n) {
    const { currency, total } = finalized;
    return nothing(jsonAnswer({ invoice: id, state, currency, total, outstanding: '0' }));
  }
  const asked = partOf(query) ?? outstanding;
  if (asked > outstanding) return nothing(new Problem('payment_exceeds_invoice'));
  return { due: { customer, amount: asked * BigInt(finalized.scale) } };
}

/** @throws Problem `invalid_request` */
function partOf(query: string): bigint | undefined {
  const [amount, ...more] = new URLSearchParams(query).getAll('amount');
  if (amount === undefined) return undefined;
  if (more.length > 0 || !AMOUNT.test(amount)) {
    throw new Problem('invalid_request', 'amount: minor units of the currency in decimal, once, above zero');
  }
  return BigInt(amount);
}

/** The same request, priced as a top-up of what is due. */
export function withDue(call: PaidCall, due: InvoiceDue): PaidCall {
  const request = { ...call.messages.request, query: queryReader(`?amount=${due.amount}`) };
  return { ...call, messages: { request }, due };
}

/** A quote stands for a while, and others may have paid meanwhile: more than is due is not taken. */
export function withinDue<V extends { readonly ok: boolean }>(
  { due }: Pick<PaidCall, 'due'>,
  { authorization }: DecodedPayment,
  verdict: V,
): V | { readonly ok: false; readonly reason: Reason } {
  if (!verdict.ok || due === undefined || authorization.value <= due.amount) return verdict;
  return { ok: false, reason: 'price_not_in_force' };
}
