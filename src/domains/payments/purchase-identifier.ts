import { createHash } from 'node:crypto';
import type { StoredEvent } from '../../base/event-store/event.js';
import type { StreamClaim } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import type { PaymentId } from './payment.js';

/** A client's own name for a purchase (x402 extension `payment-identifier`) now stands for this payment. */
export interface PurchaseIdentified {
  readonly type: 'PurchaseIdentified';
  readonly schema: 1;
  readonly data: { readonly payment: PaymentId; readonly requestDigest: string };
}

export interface IdentifiedPurchase {
  readonly version: number;
  readonly payment: PaymentId;
  readonly requestDigest: string;
}

/** Scoped to tenant and payer: an identifier is no bearer ticket, and two payers may choose the same one. */
export function identifierStream(tenant: string, payer: Address, identifier: string): string {
  const digest = createHash('sha256').update(`${tenant}\n${payer}\n${identifier}`).digest('hex');
  return `identifier/${digest.slice(0, 32)}`;
}

/** The purchase that an identifier names at present, if any. */
export function identifiedPurchase(events: readonly StoredEvent[]): IdentifiedPurchase | undefined {
  const last = events.at(-1);
  if (!last) return undefined;
  const data = last.data as unknown as PurchaseIdentified['data'];
  return { version: last.version, payment: data.payment, requestDigest: data.requestDigest };
}

/** The claim that goes with an admission: of two payments under one identifier only one can be admitted. */
export function identifierClaim(
  stream: string,
  earlier: IdentifiedPurchase | undefined,
  payment: PaymentId,
  requestDigest: string,
): StreamClaim {
  const event: PurchaseIdentified = { type: 'PurchaseIdentified', schema: 1, data: { payment, requestDigest } };
  return { stream, expectedVersion: earlier?.version ?? 0, event };
}
