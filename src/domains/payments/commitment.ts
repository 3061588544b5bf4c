import { createHash } from 'node:crypto';
import type { Address, Network } from '../../base/shared/hex.js';
import type { CustomerId } from '../customers/account.js';
import type { Hold } from '../limits/hold.js';
import type { DeliveryFailed, RequestDelivered } from './payment.js';

/** `com_` and 32 hex digits. */
export type CommitmentId = `com_${string}`;

/** The holder of an account signed that it owes for a request, up to an amount, and the request was let in. */
export interface CommitmentAccepted {
  readonly type: 'CommitmentAccepted';
  readonly schema: 1;
  readonly data: {
    readonly tenant: string;
    readonly customer: CustomerId;
    readonly route: string;
    readonly method: string;
    /** Absolute, without the query. */
    readonly resource: string;
    /** Base64url SHA-256 over method, path, query and body. */
    readonly requestDigest: string;
    /** The most that it may cost, in atomic units of the asset, decimal. */
    readonly amount: string;
    /** ISO 4217: what an invoice says. */
    readonly currency: string;
    readonly network: Network;
    readonly asset: Address;
    readonly tariff: { readonly id: string; readonly version: number };
    readonly quote: string;
    /** The most that may be used. */
    readonly units: string;
    readonly urgency: number;
    readonly class?: string;
    /** What the price looked at. */
    readonly inputs: Readonly<Record<string, string>>;
    /** The key that signed, by its thumbprint. */
    readonly key: string;
    /** Base64url SHA-256 of the signature base, which is kept beside the log. */
    readonly signed: string;
    /** Lease id of the gateway that delivers. */
    readonly gateway: string;
    /** Of the account's credit and of every quota that concerns it: given back as far as it is not used. */
    readonly holds: readonly Hold[];
  };
}

export interface CommitmentDelivered {
  readonly type: 'CommitmentDelivered';
  readonly schema: 1;
  readonly data: RequestDelivered['data'] & {
    /** What was used, and what that costs: at most what was accepted. */
    readonly units: string;
    readonly charged: string;
    /** What is given back of the holds. */
    readonly released: readonly Hold[];
  };
}

/** The upstream failed, or its answer is one that the route does not charge. Nothing is owed. */
export interface CommitmentReleased {
  readonly type: 'CommitmentReleased';
  readonly schema: 1;
  readonly data: DeliveryFailed['data'];
}

/** The gateway that delivered is gone. Nothing is owed, and the request is not run again. */
export interface CommitmentInterrupted {
  readonly type: 'CommitmentInterrupted';
  readonly schema: 1;
  readonly data: { readonly gateway: string };
}

export type CommitmentEvent = CommitmentAccepted | CommitmentDelivered | CommitmentReleased | CommitmentInterrupted;

export type Commitment =
  | { readonly status: 'unknown' }
  | { readonly status: 'running' | 'interrupted'; readonly accepted: CommitmentAccepted['data'] }
  | {
      readonly status: 'delivered';
      readonly accepted: CommitmentAccepted['data'];
      readonly delivered: CommitmentDelivered['data'];
    }
  | {
      readonly status: 'released';
      readonly accepted: CommitmentAccepted['data'];
      readonly released: CommitmentReleased['data'];
    };

export const newCommitment: Commitment = { status: 'unknown' };

const STREAM = 'commitment/';

export function commitmentStream(id: CommitmentId): string {
  return STREAM + id;
}

export function commitmentOfStream(stream: string): string {
  return stream.slice(STREAM.length);
}

/** The same for the same nonce of the same account. */
export function commitmentIdOf(tenant: string, customer: string, nonce: string): CommitmentId {
  const digest = createHash('sha256').update(`${tenant}/${customer}/${nonce}`).digest('hex');
  return `com_${digest.slice(0, 32)}`;
}

/** Folds one stored event. An event that does not fit the state means a corrupt log, so it throws. */
export function evolveCommitment(state: Commitment, event: CommitmentEvent): Commitment {
  if (event.type === 'CommitmentAccepted') {
    if (state.status === 'unknown') return { status: 'running', accepted: event.data };
  } else if (state.status === 'running') {
    const { accepted } = state;
    switch (event.type) {
      case 'CommitmentDelivered':
        return { status: 'delivered', accepted, delivered: event.data };
      case 'CommitmentReleased':
        return { status: 'released', accepted, released: event.data };
      case 'CommitmentInterrupted':
        return { status: 'interrupted', accepted };
    }
  }
  throw new Error(`${event.type} does not follow ${state.status}`);
}
