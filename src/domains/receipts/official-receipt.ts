import type { Hex } from '../../base/shared/hex.js';
import type { PaymentAuthorized } from '../payments/payment.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** Signed receipt of the official offer-receipt extension. */
export interface SignedReceipt {
  readonly format: 'jws';
  readonly signature: string;
}

const EXTENSION_VERSION = 1;

/**
 * The official receipt. It is dated by the authorization, never by the time of asking, so that issuing it again gives
 * the same bytes.
 * @param transaction hash of the settling transaction, once it is in a block; until then the field is empty
 */
export function signReceipt(
  authorized: PaymentAuthorized['data'],
  transaction: Hex | undefined,
  signer: ReceiptSigner,
): SignedReceipt {
  const { network, payer } = authorized.terms;
  const payload = {
    version: EXTENSION_VERSION,
    network,
    resourceUrl: authorized.resource,
    payer,
    issuedAt: Number(authorized.authorizedAt),
    transaction: transaction ?? '',
  };
  return { format: 'jws', signature: signer.sign(payload) };
}

/** The same as `extensions` of a `PAYMENT-RESPONSE`. */
export function officialReceipt(
  authorized: PaymentAuthorized['data'],
  transaction: Hex | undefined,
  signer: ReceiptSigner,
) {
  return { 'offer-receipt': { info: { receipt: signReceipt(authorized, transaction, signer) } } } as const;
}
