import type { Address, Hex, Network } from '../../base/shared/hex.js';
import type { PaymentId } from './payment.js';

/** A Transfer log on the chain, as one of its two parties has it: a wallet that a tenant is paid at. */
export interface WalletTransfer {
  readonly network: Network;
  readonly asset: Address;
  readonly wallet: Address;
  /** Who sent it, or to whom it went. */
  readonly counterparty: Address;
  /** Atomic units. */
  readonly amount: string;
  readonly transaction: Hex;
  readonly logIndex: number;
  readonly blockNumber: string;
  readonly blockHash: Hex;
  /** What the payment is called that the authorization which made it can be used for, taken or not. */
  readonly payment?: PaymentId;
}

/** Money came in that no payment explains. It is kept apart until somebody says what it is for. */
export interface InboundTransferFound {
  readonly type: 'InboundTransferFound';
  readonly schema: 1;
  readonly data: WalletTransfer;
}

/** The block that held it is not in the chain any more. */
export interface InboundTransferReverted {
  readonly type: 'InboundTransferReverted';
  readonly schema: 1;
  readonly data: WalletTransfer;
}

/** It turned out to have settled `payment`, whose events name it from now on. */
export interface InboundTransferMatched {
  readonly type: 'InboundTransferMatched';
  readonly schema: 1;
  readonly data: WalletTransfer & { readonly payment: PaymentId };
}

/**
 * What money was that came in and that no payment explains.
 * - `owner_deposit`: the owner's own, put into the wallet.
 * - `income`: earned by something that is not sold here.
 * - `returned`: a mistake of the sender's, sent back to it by a transfer that is in the books as the owner's.
 */
export const explanations = ['owner_deposit', 'income', 'returned'] as const;
export type Explanation = (typeof explanations)[number];

type Explained = WalletTransfer & { readonly as: Explanation };

/** Somebody said what it was. */
export interface InboundTransferExplained {
  readonly type: 'InboundTransferExplained';
  readonly schema: 1;
  readonly data: Explained;
}

/** That does not count any more: something else was said, the block is gone, or the transfer has settled a payment. */
export interface InboundTransferExplanationWithdrawn {
  readonly type: 'InboundTransferExplanationWithdrawn';
  readonly schema: 1;
  readonly data: Explained;
}

/** Money went out that is no refund known here: the owner took it. */
export interface OutboundTransferFound {
  readonly type: 'OutboundTransferFound';
  readonly schema: 1;
  readonly data: WalletTransfer;
}

/** The block that held it is not in the chain any more. */
export interface OutboundTransferReverted {
  readonly type: 'OutboundTransferReverted';
  readonly schema: 1;
  readonly data: WalletTransfer;
}

/** A Transfer log on the chain is spoken for: it refunds this payment and no other. */
export interface TransferClaimed {
  readonly type: 'TransferClaimed';
  readonly schema: 1;
  readonly data: { readonly payment: PaymentId };
}

/** It turned out to be a refund of `payment`: written together with the refund, as `TransferClaimed` is for one that nobody had found before. */
export interface OutboundTransferClaimed {
  readonly type: 'OutboundTransferClaimed';
  readonly schema: 1;
  readonly data: WalletTransfer & { readonly payment: PaymentId };
}

export type TransferEvent =
  | InboundTransferFound
  | InboundTransferReverted
  | InboundTransferMatched
  | InboundTransferExplained
  | InboundTransferExplanationWithdrawn
  | OutboundTransferFound
  | OutboundTransferReverted
  | OutboundTransferClaimed
  | TransferClaimed;

/** What stands of one transfer. Between two wallets of tenants it is both. */
export interface TransferState {
  readonly inbound?: WalletTransfer;
  /** What `inbound` was, if somebody has said so. */
  readonly explainedAs?: Explanation;
  readonly outbound?: WalletTransfer;
  /** The payment that it refunds. */
  readonly claimedBy?: PaymentId;
}

export const newTransfer: TransferState = {};

/** From the events of its stream; `undefined` if there are none. */
export function knownTransfer(stored: readonly unknown[] = []): {
  readonly version: number;
  readonly state: TransferState;
} {
  const state = (stored as readonly TransferEvent[]).reduce(evolveTransfer, newTransfer);
  return { version: stored.length, state };
}

export function evolveTransfer(state: TransferState, event: TransferEvent): TransferState {
  switch (event.type) {
    case 'InboundTransferFound':
      return { ...state, inbound: event.data };
    case 'InboundTransferExplained':
      return { ...state, explainedAs: event.data.as };
    case 'InboundTransferExplanationWithdrawn':
      return { ...state, explainedAs: undefined };
    case 'InboundTransferReverted':
    case 'InboundTransferMatched':
      return { ...state, inbound: undefined };
    case 'OutboundTransferFound':
      return { ...state, outbound: event.data };
    case 'OutboundTransferReverted':
      return { ...state, outbound: undefined };
    case 'OutboundTransferClaimed':
    case 'TransferClaimed':
      return { ...state, outbound: undefined, claimedBy: event.data.payment };
  }
}
