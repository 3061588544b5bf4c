import { createHash, randomBytes } from 'node:crypto';
import type { Address, Network } from '../../base/shared/hex.js';
import type { Hold } from '../limits/hold.js';
import type { DeliveryFailed, RequestDelivered } from './payment.js';

/** `free_` and 32 hex digits. */
export type FreeRequestId = `free_${string}`;

/** A proven customer's request is run within its allowance: nothing is paid, and the allowance is held for it. */
export interface FreeRequestGranted {
  readonly type: 'FreeRequestGranted';
  readonly schema: 3;
  readonly data: {
    readonly tenant: string;
    readonly route: string;
    readonly method: string;
    /** Base64url SHA-256 over method, path, query and body. */
    readonly requestDigest: string;
    readonly payer: Address;
    /** What the route would have been paid in. */
    readonly network: Network;
    readonly asset: Address;
    readonly tariff: { readonly id: string; readonly version: number };
    readonly units: string;
    /** What a price would have looked at, as in `PaymentAuthorized`. */
    readonly urgency?: number;
    readonly class?: string;
    readonly inputs?: Readonly<Record<string, string>>;
    /** Lease id of the gateway that delivers. */
    readonly gateway: string;
    /** Of the allowance and of every quota that concerns it: given back unless the request is delivered. */
    readonly holds: readonly Hold[];
  };
}

export interface FreeRequestDelivered {
  readonly type: 'FreeRequestDelivered';
  readonly schema: 1;
  readonly data: Omit<RequestDelivered['data'], 'kept'>;
}

/** The upstream failed, or its answer is one that the route does not charge. The allowance is given back. */
export interface FreeRequestFailed {
  readonly type: 'FreeRequestFailed';
  readonly schema: 1;
  readonly data: Omit<DeliveryFailed['data'], 'kept'>;
}

/** The gateway that delivered is gone. The allowance is given back, and the request is not run again. */
export interface FreeRequestInterrupted {
  readonly type: 'FreeRequestInterrupted';
  readonly schema: 1;
  readonly data: { readonly gateway: string };
}

export type FreeRequestEvent = FreeRequestGranted | FreeRequestDelivered | FreeRequestFailed | FreeRequestInterrupted;

export type FreeRequest =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'running' | 'delivered' | 'failed' | 'interrupted';
      readonly granted: FreeRequestGranted['data'];
    };

export const newFreeRequest: FreeRequest = { status: 'unknown' };

export function freeRequestStream(id: FreeRequestId): string {
  return `free-request/${id}`;
}

/** The same for the same name of the same customer; a new one for a request without a name. */
export function freeRequestIdOf(tenant: string, payer: Address, name: string | undefined): FreeRequestId {
  if (name === undefined) return `free_${randomBytes(16).toString('hex')}`;
  const text = `${tenant}/${payer}/${name}`;
  return `free_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

const ends = {
  FreeRequestDelivered: 'delivered',
  FreeRequestFailed: 'failed',
  FreeRequestInterrupted: 'interrupted',
} as const;

/** Folds one stored event. An event that does not fit the state means a corrupt log, so it throws. */
export function evolveFreeRequest(state: FreeRequest, event: FreeRequestEvent): FreeRequest {
  if (event.type === 'FreeRequestGranted') {
    if (state.status === 'unknown') return { status: 'running', granted: event.data };
  } else if (state.status === 'running') return { status: ends[event.type], granted: state.granted };
  throw new Error(`${event.type} does not follow ${state.status}`);
}
