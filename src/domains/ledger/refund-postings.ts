import type { StoredEvent } from '../../base/event-store/event.js';
import type { Address } from '../../base/shared/hex.js';
import type { PaymentRefunded, RefundReverted } from '../payments/refund.js';
import type { Account, Book } from './chart.js';
import { Lines } from './lines.js';
import type { Transfer } from './transfer.js';

/** What is only asked for moves nothing. */
export const refundTypes = ['PaymentRefunded', 'RefundReverted'] as const;

export type RefundPosting = PaymentRefunded | RefundReverted;

export function isRefundPosting(event: { readonly type: string }): event is RefundPosting {
  return (refundTypes as readonly string[]).includes(event.type);
}

const REFUNDS: Account = { kind: 'refunds', party: '' };

/**
 * Pure: money went back to a payer, or did not after all. It came from the payee's own wallet, or from the refund wallet: below
 * zero, that account is what the tenant owes to whoever fills the wallet.
 */
export function postRefund(
  stored: StoredEvent,
  { data, type }: RefundPosting,
  book: Book,
  payee: Address,
): readonly Transfer[] {
  const wallet: Account =
    data.sender === undefined ? { kind: 'wallet', party: payee } : { kind: 'refund_wallet', party: data.sender };
  const lines = new Lines(stored, book, BigInt(data.amount));
  if (type === 'PaymentRefunded') lines.posted({ code: 'refund', debit: REFUNDS, credit: wallet });
  else lines.posted({ code: 'refund_reversal', debit: wallet, credit: REFUNDS });
  return lines.transfers;
}
