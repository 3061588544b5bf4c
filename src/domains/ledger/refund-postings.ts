import type { Address } from '../../base/shared/hex.js';
import type { PaymentRefunded, RefundReverted } from '../payments/refund.js';
import type { Account } from './chart.js';
import type { Lines } from './lines.js';

/** What is only asked for moves nothing. */
export type RefundPosting = PaymentRefunded | RefundReverted;

export function isRefundPosting(event: { readonly type: string }): event is RefundPosting {
  return event.type === 'PaymentRefunded' || event.type === 'RefundReverted';
}

/**
 * Money went back to a payer, or did not after all. It came from the payee's own wallet, or from the refund wallet: below
 * zero, that account is what the tenant owes to whoever fills the wallet.
 *
 * @param from what it is taken from: the tenant's income, or what it owed the payer
 */
export function postRefund({ data, type }: RefundPosting, payee: Address, from: Account, lines: Lines): void {
  const wallet: Account =
    data.sender === undefined ? { kind: 'wallet', party: payee } : { kind: 'refund_wallet', party: data.sender };
  const amount = BigInt(data.amount);
  if (type === 'PaymentRefunded') lines.posted({ code: 'refund', debit: from, credit: wallet }, amount);
  else lines.posted({ code: 'refund_reversal', debit: wallet, credit: from }, amount);
}
