import { epochSeconds } from '../../base/shared/clock.js';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { PaymentAuthorized } from '../payments/payment.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** What the official receipt says of a payment. */
export interface ReceiptFacts {
  readonly network: Network;
  /** As in the offer: the public URL without query. */
  readonly resourceUrl: string;
  readonly payer: Address;
  /** When the payment was taken, milliseconds: never the time of asking, so that a repeat gives the same bytes. */
  readonly authorizedAt: number;
  /** Hash of the settling transaction, once it is in a block. */
  readonly transaction?: Hex;
}

/** Signed receipt of the official offer-receipt extension. */
export interface SignedReceipt {
  readonly format: 'jws';
  readonly signature: string;
}

const EXTENSION_VERSION = 1;

export function receiptFacts(authorized: PaymentAuthorized['data'], transaction?: Hex): ReceiptFacts {
  const { network, payer } = authorized.terms;
  const authorizedAt = Number(authorized.authorizedAt) * 1000;
  return { network, resourceUrl: authorized.resource, payer, authorizedAt, transaction };
}

/** The official receipt; `transaction` is empty while the payment is not settled. The same facts give the same bytes. */
export function officialReceipt(signer: ReceiptSigner, facts: ReceiptFacts): SignedReceipt {
  const { network, resourceUrl, payer, authorizedAt, transaction = '' } = facts;
  const issuedAt = epochSeconds(authorizedAt);
  const payload = { version: EXTENSION_VERSION, network, resourceUrl, payer, issuedAt, transaction };
  return { format: 'jws', signature: signer.sign(payload) };
}

/** The same as `extensions` of a `PAYMENT-RESPONSE`. */
export function receiptExtension(signer: ReceiptSigner, facts: ReceiptFacts) {
  return { 'offer-receipt': { info: { receipt: { ...officialReceipt(signer, facts) } } } } as const;
}
