import { createHash } from 'node:crypto';
import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { Hold } from '../limits/hold.js';
import type { Delegated, SettlementDelegated } from './delegation.js';
import type { RefundBook, RefundEvent } from './refund.js';

/** `pay_` and 32 hex digits, derived from the claim, so that every gateway computes the same id. */
export type PaymentId = `pay_${string}`;

/** What the chain itself makes unique: the payer's nonce in one token on one chain (EIP-3009). */
export interface Claim {
  readonly network: Network;
  readonly asset: Address;
  readonly payer: Address;
  readonly nonce: Hex;
}

/** The claim is global, not per tenant: the same authorization must not work twice anywhere. */
export function paymentIdOf(claim: Claim): PaymentId {
  const text = `${claim.network}/${claim.asset}/${claim.payer}/${claim.nonce}`;
  return `pay_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

const STREAM_PREFIX = 'payment/';

export function paymentStream(id: PaymentId): string {
  return STREAM_PREFIX + id;
}

/** The payment whose stream this is; only for streams that `paymentStream` named. */
export function paymentOfStream(stream: string): PaymentId {
  return stream.slice(STREAM_PREFIX.length) as PaymentId;
}

/**
 * - `async`: deliver at once, settle afterwards, within the payer's exposure limit.
 * - `after`: run the request, hold the answer until the payment is settled.
 * - `before`: settle the payment, then run the request and answer.
 */
export type SettlementMode = 'async' | 'after' | 'before';

/** The signed terms of one authorization; amounts are decimal strings of atomic units, times epoch seconds. */
export interface AuthorizationTerms {
  readonly network: Network;
  readonly asset: Address;
  readonly payer: Address;
  readonly payee: Address;
  readonly amount: string;
  readonly validAfter: string;
  readonly validBefore: string;
  readonly nonce: Hex;
}

export interface PaymentAuthorized {
  readonly type: 'PaymentAuthorized';
  readonly schema: 4;
  readonly data: {
    readonly tenant: string;
    readonly route: string;
    readonly method: string;
    /** Public URL of the resource, without its query: queries can hold personal data. */
    readonly resource: string;
    /** Base64url SHA-256 over method, path, query and body: the one request this authorization buys. */
    readonly requestDigest: string;
    /** Base64url SHA-256 of the decoded payment; a v2 replay must present the same one. */
    readonly payloadDigest: string;
    readonly x402Version: 1 | 2;
    readonly terms: AuthorizationTerms;
    readonly tariff: { readonly id: string; readonly version: number };
    /** Random id of the quote; absent for v1, which echoes none. */
    readonly quote?: string;
    readonly units: string;
    /** When the gateway took it, epoch seconds; what the receipt is dated. */
    readonly authorizedAt: string;
    readonly mode: SettlementMode;
    /** True if the route may be run again after an interruption. */
    readonly idempotent: boolean;
    /** Lease id of the gateway that delivers. */
    readonly gateway: string;
    /** Digest of the client's payment identifier, if it sent one. */
    readonly identifier?: string;
    /** Urgency that the price was asked for, 0 to 7 (RFC 9218). */
    readonly urgency?: number;
    /** Quality of service that was chosen, if the route has classes. */
    readonly class?: string;
    /** What the price looked at, by canonical name, so that another tariff can price the same request. */
    readonly inputs?: Readonly<Record<string, string>>;
    /** The account that the money is paid into, `cus_…`, once it has moved; nothing is sold. */
    readonly account?: string;
    /** What is held for this payment; `payment.holds.ts` says until when. */
    readonly holds: readonly Hold[];
  };
}

export interface RequestDelivered {
  readonly type: 'RequestDelivered';
  readonly schema: 1;
  readonly data: {
    readonly status: number;
    /** Base64url SHA-256 of the body as the upstream sent it. */
    readonly responseDigest: string;
    readonly bytes: number;
    readonly latencyMs: number;
    /** False if the answer was too large to keep for a repeat. */
    readonly kept: boolean;
  };
}

/** The upstream failed, or its answer is one that the route does not charge. Final: nothing is charged, or what was paid is owed back. */
export interface DeliveryFailed {
  readonly type: 'DeliveryFailed';
  readonly schema: 1;
  readonly data: {
    readonly reason:
      | 'upstream_error'
      | 'upstream_timeout'
      | 'upstream_unreachable'
      | 'upstream_broke_off'
      | 'upstream_forbidden'
      | 'not_charged'
      | 'answer_too_large_to_hold'
      | 'shutdown';
    readonly status?: number;
    readonly kept: boolean;
    readonly latencyMs: number;
  };
}

/** Mode `before`: the money has moved, and this gateway alone runs the request. */
export interface DeliveryStarted {
  readonly type: 'DeliveryStarted';
  readonly schema: 1;
  readonly data: { readonly gateway: string };
}

/** The gateway that delivered is gone. Not charged, or owed back; run again only if the route is idempotent. */
export interface DeliveryInterrupted {
  readonly type: 'DeliveryInterrupted';
  readonly schema: 1;
  readonly data: { readonly gateway: string };
}

/** An idempotent route is run again for the same authorization. */
export interface DeliveryRestarted {
  readonly type: 'DeliveryRestarted';
  readonly schema: 1;
  readonly data: { readonly gateway: string };
}

/** The payer was denied when its payment was to be settled. Nothing is signed until it is clear again. */
export interface SettlementHeld {
  readonly type: 'SettlementHeld';
  readonly schema: 1;
  readonly data: { readonly reason: 'screening_denied' };
}

/** Written before the broadcast: from here on the signature may be public. */
export interface SettlementSubmitted {
  readonly type: 'SettlementSubmitted';
  readonly schema: 1;
  readonly data: { readonly transaction: Hex; readonly settler: Address; readonly attempt: number };
}

/** The transfer is in a block. `by: 'other'` means somebody else broadcast the authorization; the payee was paid all the same. */
export interface PaymentSettled {
  readonly type: 'PaymentSettled';
  readonly schema: 1;
  readonly data: {
    readonly transaction: Hex;
    readonly blockNumber: string;
    readonly blockHash: Hex;
    readonly logIndex: number;
    readonly by: 'settler' | 'other';
  };
}

export type SettlementFailure =
  | 'insufficient_funds'
  | 'authorization_cancelled'
  | 'authorization_expired'
  | 'nonce_used_elsewhere'
  | 'rejected_by_token';

export interface PaymentSettlementFailed {
  readonly type: 'PaymentSettlementFailed';
  readonly schema: 1;
  readonly data: { readonly reason: SettlementFailure; readonly detail?: string };
}

/** A settlement that had been seen in a block is not in the chain any more (a reorganization). */
export interface SettlementReverted {
  readonly type: 'SettlementReverted';
  readonly schema: 1;
  readonly data: { readonly transaction: Hex; readonly blockHash: Hex };
}

export type PaymentEvent =
  | PaymentAuthorized
  | DeliveryStarted
  | RequestDelivered
  | DeliveryFailed
  | DeliveryInterrupted
  | DeliveryRestarted
  | SettlementHeld
  | SettlementSubmitted
  | SettlementDelegated
  | PaymentSettled
  | PaymentSettlementFailed
  | SettlementReverted
  | RefundEvent;

interface Known {
  readonly authorized: PaymentAuthorized['data'];
}
interface Served extends Known, Delegated {
  readonly delivered: RequestDelivered['data'];
  /** They outlive a settlement that is taken back: the money went to the payer all the same. */
  readonly refunds?: RefundBook;
}

/** Mode `before`: the settlement failed, so nothing was run, or what was not delivered is not owed any more. */
interface Unserved extends Known, Delegated {
  readonly delivered?: undefined;
  readonly refunds?: RefundBook;
}
/** Mode `before`: what was sent to the chain, oldest first. */
interface Sent extends Known, Delegated {
  readonly transactions: readonly Hex[];
}
/** Mode `before`: nothing will be delivered for this payment any more. */
interface GivenUp extends Sent {
  readonly reason: NotDelivered;
  readonly refunds?: RefundBook;
}

/** Why nothing was delivered. `refunded`: money went back, or was asked to, before anybody ran the request. */
export type NotDelivered = DeliveryFailed['data']['reason'] | 'interrupted' | 'refunded';

/** README.md says what follows what. */
export type Payment =
  | { readonly status: 'unknown' }
  | ({ readonly status: 'authorized'; readonly gateway: string } & Known)
  | ({ readonly status: 'delivered'; readonly held?: SettlementHeld['data'] } & Served)
  | ({ readonly status: 'submitted'; readonly transactions: readonly Hex[] } & Served)
  | ({
      readonly status: 'settled';
      readonly settled: PaymentSettled['data'];
      readonly transactions: readonly Hex[];
    } & Served)
  | ({ readonly status: 'settlement_failed'; readonly failed: PaymentSettlementFailed['data'] } & (Served | Unserved))
  | ({ readonly status: 'released'; readonly failed: DeliveryFailed['data'] } & Known)
  | ({ readonly status: 'interrupted'; readonly gateway: string } & Known)
  | PaymentBefore;

/** Mode `before`, until the request is delivered; from then on the states above. */
export type PaymentBefore =
  | ({ readonly status: 'awaiting_settlement'; readonly held?: SettlementHeld['data'] } & Sent)
  | ({ readonly status: 'paid'; readonly settled: PaymentSettled['data'] } & Sent)
  /** Without `settled` its block went away while the request ran; what comes of the money is seen when that is done. */
  | ({ readonly status: 'delivering'; readonly gateway: string; readonly settled?: PaymentSettled['data'] } & Sent)
  /** Its block went away, and the money is owed back if it moves once more. */
  | ({ readonly status: 'undelivered' } & GivenUp)
  | ({ readonly status: 'refund_owed' | 'refunded'; readonly settled: PaymentSettled['data'] } & GivenUp);
