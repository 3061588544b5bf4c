import { createHash } from 'node:crypto';
import type { Address, Hex } from '../../base/shared/hex.js';

/** `ref_`, the 32 hex digits of the payment's id, `_`, and 16 hex digits of its own. */
export type RefundId = `ref_${string}_${string}`;

/** Who sends the money: this installation from its refund wallet, or the owner of the payee's wallet. */
export const refundSources = ['refund_wallet', 'payee'] as const;
export type RefundSource = (typeof refundSources)[number];

/** Closed, so that no personal data gets into the log. */
export const refundReasons = ['duplicate', 'fraud', 'not_delivered', 'quality', 'on_request', 'other'] as const;
export type RefundReason = (typeof refundReasons)[number];

/** Part of a payment is to be given back; from here on the amount is spoken for. */
export interface RefundRequested {
  readonly type: 'RefundRequested';
  readonly schema: 1;
  readonly data: {
    readonly refund: RefundId;
    /** Atomic units. */
    readonly amount: string;
    readonly from: RefundSource;
    readonly sender: Address;
    readonly reason?: RefundReason;
    /** The newest block when it was requested: the transfer is in a later one. */
    readonly block: string;
    /** Epoch seconds. Of the refund wallet's authorization, whose nonce is `refundNonce`: it can be used once, and before this. */
    readonly validBefore?: string;
  };
}

/** Written before anybody is shown the refund wallet's signature: it cannot be withdrawn any more. */
export interface RefundSubmitted {
  readonly type: 'RefundSubmitted';
  readonly schema: 1;
  readonly data: { readonly refund: RefundId };
}

export interface RefundCancelled {
  readonly type: 'RefundCancelled';
  readonly schema: 1;
  readonly data: { readonly refund: RefundId };
}

export type RefundFailure = 'rejected_by_token' | 'expired' | 'authorization_cancelled' | 'nonce_used_elsewhere';

/** It will never be sent, and the amount is free again. */
export interface RefundFailed {
  readonly type: 'RefundFailed';
  readonly schema: 1;
  readonly data: { readonly refund: RefundId; readonly reason: RefundFailure; readonly detail?: string };
}

/** A transfer to the payer that was read from the chain. */
export interface Refund {
  /** The request that it fulfils; without one the owner of the payee's wallet sent it unasked. */
  readonly refund?: RefundId;
  /** Atomic units. */
  readonly amount: string;
  /** The refund wallet that sent it; the payee if absent. */
  readonly sender?: Address;
  readonly transaction: Hex;
  readonly blockNumber: string;
  readonly blockHash: Hex;
  readonly logIndex: number;
}

/** Money went back to the payer. */
export interface PaymentRefunded {
  readonly type: 'PaymentRefunded';
  readonly schema: 2;
  readonly data: Refund;
}

/** The block that held a refund's transfer is not in the chain any more. Says the same as the `PaymentRefunded` it takes back. */
export interface RefundReverted {
  readonly type: 'RefundReverted';
  readonly schema: 1;
  readonly data: Refund;
}

export type RefundEvent =
  | RefundRequested
  | RefundSubmitted
  | RefundCancelled
  | RefundFailed
  | PaymentRefunded
  | RefundReverted;

/** None of these says where the payment itself stands. */
export const refundTypes = [
  'RefundRequested',
  'RefundSubmitted',
  'RefundCancelled',
  'RefundFailed',
  'PaymentRefunded',
  'RefundReverted',
] as const satisfies readonly RefundEvent['type'][];

/**
 * - `requested`: it may still be cancelled.
 * - `sent`: the refund wallet's signature may be known, so the chain alone decides.
 */
export type RefundState = 'requested' | 'sent' | 'refunded' | 'failed' | 'cancelled';

export type RequestedRefund = RefundRequested['data'] & {
  readonly state: RefundState;
  readonly failed?: Pick<RefundFailed['data'], 'reason' | 'detail'>;
};

/** The refunds of one payment. */
export interface RefundBook {
  /** Oldest first, whatever became of them. */
  readonly requests: readonly RequestedRefund[];
  /** What the payer has, oldest first. */
  readonly transfers: readonly Refund[];
  /** Every transfer that this payment ever claimed, by `transferKey`: also one that was taken back, since it may return. */
  readonly claimed: readonly string[];
}

export const noRefunds: RefundBook = { requests: [], transfers: [], claimed: [] };

/** Folds one stored event. Throws for one that does not fit: the log is corrupt. */
export function evolveRefunds(book: RefundBook, event: RefundEvent): RefundBook {
  switch (event.type) {
    case 'RefundRequested':
      return { ...book, requests: [...book.requests, { ...event.data, state: 'requested' }] };
    case 'RefundSubmitted':
      return moved(book, event, ['requested'], () => ({ state: 'sent' }));
    case 'RefundCancelled':
      return moved(book, event, ['requested'], () => ({ state: 'cancelled' }));
    case 'RefundFailed': {
      const { refund: _, ...failed } = event.data;
      return moved(book, event, ['requested', 'sent'], () => ({ state: 'failed', failed }));
    }
    case 'PaymentRefunded': {
      const transfers = [...book.transfers, event.data];
      const claimed = [...new Set([...book.claimed, transferKey(event.data)])];
      const next = { ...book, transfers, claimed };
      return event.data.refund ? moved(next, event, ['requested', 'sent'], () => ({ state: 'refunded' })) : next;
    }
    case 'RefundReverted': {
      const transfers = book.transfers.filter((one) => !isAtSamePlace(one, event.data));
      if (transfers.length === book.transfers.length) throw new Error('RefundReverted takes back what never was');
      const next = { ...book, transfers };
      const back = ({ from }: RequestedRefund) => ({ state: from === 'payee' ? 'requested' : 'sent' }) as const;
      return event.data.refund ? moved(next, event, ['refunded'], back) : next;
    }
  }
}

function moved(
  book: RefundBook,
  { data, type }: Exclude<RefundEvent, RefundRequested>,
  from: readonly RefundState[],
  change: (request: RequestedRefund) => Partial<RequestedRefund>,
): RefundBook {
  const known = book.requests.find(({ refund, state }) => refund === data.refund && from.includes(state));
  if (!known) throw new Error(`${type} does not follow what is known of ${data.refund}`);
  return { ...book, requests: book.requests.map((one) => (one === known ? { ...one, ...change(one) } : one)) };
}

/** A Transfer log of one chain. */
export function transferKey({ logIndex, transaction }: Pick<Refund, 'logIndex' | 'transaction'>): string {
  return `${transaction}/${logIndex}`;
}

function isAtSamePlace(a: Refund, b: Refund): boolean {
  return transferKey(a) === transferKey(b) && a.blockHash === b.blockHash;
}

/** The same key gives the same refund of a payment, so that a request that is sent twice asks for one. */
export function refundIdOf(payment: string, key: string): RefundId {
  return `ref_${payment.slice('pay_'.length)}_${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

/** Names a transfer that nobody had requested. */
export function unaskedRefundId(payment: string, transfer: Pick<Refund, 'logIndex' | 'transaction'>): RefundId {
  return refundIdOf(payment, `transfer ${transferKey(transfer)}`);
}

/** EIP-3009 nonce of the refund wallet's authorization: the token itself takes each refund once. */
export function refundNonce(refund: RefundId): Hex {
  return `0x${createHash('sha256').update(`tollbook refund ${refund}`).digest('hex')}`;
}
