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
  /** The token moves nothing from this payer for now: it is on the token's blacklist, or the token is paused. */
  readonly blocked: boolean;
  readonly readAt: number;
}

export type SignatureVerdict =
  | { readonly valid: true }
  | { readonly valid: false; readonly reason: 'malformed_signature' | 'wrong_signer' | 'rejected_by_wallet' };

export interface SettlementItem {
  readonly authorization: TransferAuthorization;
  readonly signature: Hex;
}

/** One place in the order of an account's transactions. At most one transaction can ever be mined in it. */
export interface NonceSlot {
  readonly settler: Address;
  readonly nonce: number;
}

/** A signed settlement transaction, ready to broadcast as often as wanted: the bytes and so the hash never change. */
export interface SignedTransaction extends NonceSlot {
  readonly hash: Hex;
  readonly raw: Hex;
}

/** How the chain answers for one authorization. */
export type AuthorizationOutcome =
  | { readonly kind: 'unused' }
  | { readonly kind: 'cancelled'; readonly transaction: Hex; readonly blockNumber: bigint }
  | {
      readonly kind: 'transferred';
      /** Who sent the transaction, and so paid its gas. */
      readonly sender: Address;
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
  | {
      readonly kind: 'mined';
      readonly blockNumber: bigint;
      readonly blockHash: Hex;
      readonly succeeded: boolean;
      readonly gasUsed: bigint;
      /** What the sender paid for it, in wei; a transaction that failed costs as well. */
      readonly fee: bigint;
    };

export type MinedTransaction = Extract<TransactionOutcome, { kind: 'mined' }>;

export type BroadcastResult =
  | { readonly kind: 'accepted' }
  /** The node holds it already, or it is mined: both are fine, broadcasting is repeatable. */
  | { readonly kind: 'already_known' }
  | { readonly kind: 'nonce_too_low' }
  | { readonly kind: 'refused'; readonly detail: string };

/** What settlement needs of one chain. Every call may throw `ChainUnavailable`; that means unknown, never failed. */
export interface SettlementChain {
  readonly network: Network;
  /** Addresses that pay the gas, at least one, each with nonces of its own; they never hold revenue. */
  readonly settlers: readonly Address[];
  /** Number of a settler's mined transactions: the next nonce if nothing is in flight. Takes any address. */
  minedNonce(settler: Address): Promise<number>;
  /** What a transaction that is signed now offers. Throws FeeCapReached. */
  fees(): Promise<Fees>;
  /** Base fee in wei per gas: of the next block, and the median of the last fifty. */
  gasPrices(): Promise<{ readonly now: bigint; readonly usual: bigint }>;
  /** Gas balance of a settler, in wei. */
  gasBalance(settler: Address): Promise<bigint>;
  /**
   * One Multicall3 transaction; each item may fail alone. Signs only, sends nothing. Of the payers with code only the
   * first is included, since their contracts can burn gas; the others stay unused and belong into later transactions.
   * `over`: what may be in the slot already; the fees are such that a node takes this one in its place.
   * Throws FeeCapReached, and a RangeError for a settler that is not one of ours or if the items need more gas than one
   * transaction may have (about 140 payers without code).
   */
  sign(
    token: Token,
    items: readonly SettlementItem[],
    slot: NonceSlot,
    over?: Pick<SignedTransaction, 'raw'>,
  ): Promise<SignedTransaction>;
  /**
   * The same transaction with fees that a node takes in its place: `always`, or only if the next block would not take it
   * at its own fee. `undefined` if that is not needed. Signs only. Throws FeeCapReached.
   */
  raise(transaction: SignedTransaction, when: 'always' | 'if_underpriced'): Promise<SignedTransaction | undefined>;
  broadcast(transaction: Pick<SignedTransaction, 'raw'>): Promise<BroadcastResult>;
  transactionOutcome(hash: Hex): Promise<TransactionOutcome>;
  /** Waits until some transaction is mined in this slot; `false` if the time is over before. */
  waitForNonce(slot: NonceSlot, timeoutMs: number): Promise<boolean>;
  /** From the token's own logs: used (by whomever), cancelled or still open. */
  authorizationOutcome(token: Token, payer: Address, nonce: Hex): Promise<AuthorizationOutcome>;
  /** Why the token would refuse this item right now, or `undefined` if it would accept it. */
  refusalOf(token: Token, item: SettlementItem): Promise<string | undefined>;
  head(): Promise<ChainHead>;
}

/** Of EIP-1559, in wei per gas. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** The latest block. */
export interface ChainHead {
  readonly number: bigint;
  /** Epoch seconds: the clock that decides validity. */
  readonly time: bigint;
  /** In wei per gas; 0 on chains without one (EIP-1559). */
  readonly baseFee: bigint;
}

/** The node could not be asked. Nothing is known; try again. */
export class ChainUnavailable extends Error {}

/** Gas costs more than this installation pays. Nothing was sent; it waits until gas is cheaper. */
export class FeeCapReached extends ChainUnavailable {
  /** @param cap in wei per gas */
  constructor(
    message: string,
    readonly cap: bigint,
  ) {
    super(message);
  }
}
