import type { Address, Hex, Network } from '../shared/hex.js';

/** An ERC-20 token with EIP-3009 on one chain. `name` and `version` are its EIP-712 domain, read from the chain at start-up. */
export interface Token {
  readonly network: Network;
  readonly address: Address;
  readonly name: string;
  readonly version: string;
  readonly decimals: number;
}

/** EIP-3009 TransferWithAuthorization, parsed. Times are epoch seconds. */
export interface TransferAuthorization {
  readonly from: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: Hex;
}

/** What the token would say about a payer, as of `readAt` (milliseconds). */
export interface PayerState {
  readonly balance: bigint;
  /** Code at the payer's address means: the token asks the account itself (ERC-1271), never ECDSA. */
  readonly hasCode: boolean;
  readonly readAt: number;
}

export type SignatureVerdict =
  | { readonly valid: true }
  | { readonly valid: false; readonly reason: 'malformed_signature' | 'wrong_signer' | 'rejected_by_wallet' };

export interface SettlementItem {
  readonly authorization: TransferAuthorization;
  readonly signature: Hex;
}

/** A signed settlement transaction, ready to broadcast as often as wanted: the bytes and so the hash never change. */
export interface SignedTransaction {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly settler: Address;
  readonly nonce: number;
}

/** How the chain answers for one authorization. */
export type AuthorizationOutcome =
  | { readonly kind: 'unused' }
  | { readonly kind: 'cancelled'; readonly transaction: Hex }
  | {
      readonly kind: 'transferred';
      readonly transaction: Hex;
      readonly blockNumber: bigint;
      readonly blockHash: Hex;
      readonly logIndex: number;
      readonly payee: Address;
      readonly value: bigint;
    };

export type TransactionOutcome =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'mined'; readonly blockNumber: bigint; readonly blockHash: Hex; readonly succeeded: boolean };
