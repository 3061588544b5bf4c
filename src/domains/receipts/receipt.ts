import { asStored, type StoredEvent, type Upcast } from '../../base/event-store/event.js';
import { dataDigest } from '../../base/event-store/seals/leaf.js';
import type { JsonObject } from '../../base/shared/json.js';
import { evolvePayment, initialPayment } from '../payments/payment.evolve.js';
import type { Payment, PaymentEvent, PaymentId } from '../payments/payment.js';
import { refundsOf } from '../payments/payment.refund.js';
import { settlementOf } from '../payments/settle.decide.js';
import { officialReceipt, receiptFacts, type SignedReceipt } from './official-receipt.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** Signed, and the same whenever it is issued; what is shown beside it is in `proved-receipt.ts`. */
export interface Receipt {
  readonly receipt: JsonObject;
  /** Compact JWS whose payload is the canonical JSON of `receipt`. */
  readonly signature: string;
  /** The official one, naming the transaction once there is one; only for requests that were delivered and charged. */
  readonly official?: SignedReceipt;
}

type KnownPayment = Exclude<Payment, { status: 'unknown' }>;

/**
 * The receipt of one payment, from its events alone: the same events give the same bytes. `undefined` without events.
 * Throws if the receipt cannot be signed: an unsigned receipt is none.
 *
 * @param events as they are stored, because their digests are those that seals cover
 */
export function receiptOf(
  id: PaymentId,
  events: readonly StoredEvent[],
  signer: ReceiptSigner,
  upcast: Upcast = asStored,
): Receipt | undefined {
  const payment = events.map((event) => upcast(event) as unknown as PaymentEvent).reduce(evolvePayment, initialPayment);
  if (payment.status === 'unknown') return undefined;
  const receipt = receiptDocument(id, payment, events);
  return { receipt, signature: signer.sign(receipt), ...officialPart(payment, signer) };
}

/**
 * Public, so it holds digests of the request and the answer, not their content, and neither the quote id nor the digest
 * of the payload: whoever knows those could ask for the stored answer.
 */
function receiptDocument(id: PaymentId, payment: KnownPayment, events: readonly StoredEvent[]): JsonObject {
  const { authorized } = payment;
  const { amount, asset, network, payer, payee } = authorized.terms;
  return {
    type: 'tollbook-receipt',
    version: 1,
    payment: id,
    status: payment.status,
    tenant: authorized.tenant,
    resource: authorized.resource,
    method: authorized.method,
    amount,
    asset,
    network,
    payer,
    payee,
    tariff: { id: authorized.tariff.id, version: authorized.tariff.version },
    units: authorized.units,
    mode: authorized.mode,
    requestDigest: authorized.requestDigest,
    ...deliveryPart(payment),
    ...outcomePart(payment),
    ...refundPart(payment),
    events: events.map(eventPart),
  };
}

function deliveryPart(payment: KnownPayment): JsonObject {
  if (!('delivered' in payment) || payment.delivered === undefined) return {};
  const { status, responseDigest, bytes } = payment.delivered;
  return { response: { status, digest: responseDigest, bytes } };
}

function outcomePart(payment: KnownPayment): JsonObject {
  return { ...settlementPart(payment), ...reasonPart(payment) };
}

function settlementPart(payment: KnownPayment): JsonObject {
  const settled = settlementOf(payment);
  if (!settled) return {};
  const { transaction, blockNumber, blockHash, logIndex } = settled;
  return { settlement: { transaction, blockNumber, blockHash, logIndex } };
}

function reasonPart(payment: KnownPayment): JsonObject {
  if ('failed' in payment) return { reason: payment.failed.reason };
  return 'reason' in payment ? { reason: payment.reason } : {};
}

function refundPart(payment: KnownPayment): JsonObject {
  const refunds = refundsOf(payment);
  if (refunds.length === 0) return {};
  return { refunds: refunds.map((refund) => ({ ...refund })) };
}

function eventPart({ position, version, type, occurredAt, data }: StoredEvent): JsonObject {
  return { position: position.toString(), version, type, at: occurredAt.toISOString(), digest: dataDigest(data) };
}

function officialPart(payment: KnownPayment, signer: ReceiptSigner): Pick<Receipt, 'official'> {
  switch (payment.status) {
    case 'delivered':
    case 'submitted':
      return { official: officialReceipt(signer, receiptFacts(payment.authorized)) };
    case 'settled':
      return { official: officialReceipt(signer, receiptFacts(payment.authorized, payment.settled.transaction)) };
    default:
      return {};
  }
}
