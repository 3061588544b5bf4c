import type { TransactionSerializableEIP1559 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from '../shared/hex.js';

export type UnsignedTransaction = TransactionSerializableEIP1559;

/** Signs the transactions of one account. The key may be in this process or with a service that keeps keys. */
export interface Signer {
  readonly address: Address;
  /** The transaction with its signature, ready to broadcast (EIP-2718). */
  signTransaction(unsigned: UnsignedTransaction): Promise<Hex>;
}

/** Signs with a secp256k1 key that this process holds; it shows in no log and no JSON. */
export function keySigner(privateKey: Hex): Signer {
  const account = privateKeyToAccount(privateKey);
  return {
    address: account.address.toLowerCase() as Address,
    signTransaction: (unsigned) => account.signTransaction(unsigned),
  };
}
