import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { Address, Network } from '../shared/hex.js';
import { type Reason, sentenceOf, type V1Reason, v1ReasonOf } from './errors.js';
import type { DecodedPayment } from './payment-header.js';
import { facilitatorBody, paymentV1, paymentV2, requirementsV1, requirementsV2 } from './payment-schema.js';

/** What a server asks for, whichever version it speaks. `amount` in atomic units of `asset`. */
export interface Requirements {
  readonly network: Network;
  readonly asset: Address;
  readonly payTo: Address;
  readonly amount: bigint;
}

/** Body of `/verify` and `/settle` (x402 specification, facilitator interface). */
export interface FacilitatorRequest {
  readonly payment: DecodedPayment;
  readonly requirements: Requirements;
  /** What is sold, as the server or its client names it: not proven. */
  readonly resource: string | undefined;
}

/** Reasons that only a facilitator gives: one sentence, and the nearest of version 1. */
const more = {
  invalid_x402_version: ['x402Version must be 1 or 2, and the same in body and payment', 'invalid_x402_version'],
  invalid_payload: ['The payment is not one of the exact scheme with EIP-3009', 'invalid_payload'],
  payer_denied: ['This provider does not serve this payer', 'invalid_payment'],
  quota_exceeded: ['The quota is used up; nothing was charged', 'invalid_payment'],
  spending_limit_reached: ['The spending limit is reached; nothing was charged', 'invalid_payment'],
  settlement_pending: ['Settlement is not known yet; settle the same payment again', 'unexpected_settle_error'],
} as const satisfies Record<
  string,
  readonly [sentence: string, v1: V1Reason | 'invalid_x402_version' | 'invalid_payload']
>;

export type FacilitatorReason = Reason | keyof typeof more;

export interface Refusal {
  readonly reason: FacilitatorReason;
  /** For people; a sentence of ours if there is none. */
  readonly message?: string | undefined;
}

/** How a reason is said in the words of this version. */
export function worded(
  { message, reason }: Refusal,
  version: 1 | 2,
): { readonly reason: string; readonly message: string } {
  const [sentence, v1] =
    reason in more ? more[reason as keyof typeof more] : [sentenceOf(reason as Reason), v1ReasonOf(reason as Reason)];
  return { reason: version === 1 ? v1 : reason, message: message ?? sentence };
}

/** Version in which to answer whoever sent this. */
export function versionIn(body: unknown): 1 | 2 {
  return facilitatorBody.safeParse(body).data?.x402Version === 1 ? 1 : 2;
}

/** Reads a body of either version. Addresses, nonce and signature come out in lower case. */
export function decodeFacilitatorRequest(body: unknown): FacilitatorRequest | Refusal {
  const parsed = facilitatorBody.safeParse(body);
  if (!parsed.success) return { reason: 'invalid_payload', message: messageOf(parsed.error) };
  const { paymentPayload, paymentRequirements, x402Version } = parsed.data;
  if (x402Version !== paymentPayload.x402Version) return { reason: 'invalid_x402_version' };
  const payloadDigest = digestOf(paymentPayload);
  if (payloadDigest === undefined)
    return { reason: 'invalid_payload', message: 'paymentPayload: is nested too deeply' };
  if (x402Version === 1) return decodeV1(paymentPayload, paymentRequirements, payloadDigest);
  if (x402Version === 2) return decodeV2(paymentPayload, paymentRequirements, payloadDigest);
  return { reason: 'invalid_x402_version' };
}

/** `undefined` for what is nested deeper than it can be written out. */
function digestOf(payload: object): string | undefined {
  try {
    return hash('sha256', JSON.stringify(payload), 'base64url');
  } catch {
    return undefined;
  }
}

function decodeV1(sent: object, required: object, payloadDigest: string): FacilitatorRequest | Refusal {
  const payment = paymentV1.safeParse(sent);
  if (!payment.success) return { reason: 'invalid_payload', message: messageOf(payment.error) };
  const requirements = requirementsV1.safeParse(required);
  if (!requirements.success) return { reason: 'invalid_payment_requirements', message: messageOf(requirements.error) };
  const { network, payload } = payment.data;
  const { asset, maxAmountRequired: amount, payTo, resource } = requirements.data;
  return {
    payment: { x402Version: 1, network, ...payload, payloadDigest },
    requirements: { network: requirements.data.network, asset, payTo, amount },
    resource,
  };
}

function decodeV2(sent: object, required: object, payloadDigest: string): FacilitatorRequest | Refusal {
  const payment = paymentV2.safeParse(sent);
  if (!payment.success) return { reason: 'invalid_payload', message: messageOf(payment.error) };
  const requirements = requirementsV2.safeParse(required);
  if (!requirements.success) return { reason: 'invalid_payment_requirements', message: messageOf(requirements.error) };
  const { accepted, payload, resource } = payment.data;
  const { amount, asset, network, payTo } = requirements.data;
  return {
    // The payer's own name for a purchase is for the server that sells.
    payment: { x402Version: 2, accepted, paymentIdentifier: undefined, ...payload, payloadDigest },
    requirements: { network, asset, payTo, amount },
    resource: resource?.url,
  };
}

function messageOf({ issues }: z.ZodError): string {
  const { code, message, path } = issues[0]!;
  // The names of unknown members are the caller's text, so they are not repeated.
  const what = code === 'unrecognized_keys' ? 'has members that are not known' : message;
  return path.length === 0 ? what : `${path.join('.')}: ${what}`;
}
