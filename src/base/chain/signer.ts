import type { TransactionSerializableEIP1559, TypedDataDefinition } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from '../shared/hex.js';

export type UnsignedTransaction = TransactionSerializableEIP1559;

/** Signs for one account. The key may be in this process or with a service that keeps keys. */
export interface Signer {
  readonly address: Address;
  /** The transaction with its signature, ready to broadcast (EIP-2718). */
  signTransaction(unsigned: UnsignedTransaction): Promise<Hex>;
  /** 65 bytes: r, s in the lower half, v 27 or 28. */
  signTypedData(data: TypedDataDefinition): Promise<Hex>;
}

/** Signs with a secp256k1 key that this process holds; it shows in no log and no JSON. */
export function keySigner(privateKey: Hex): Signer {
  const account = privateKeyToAccount(privateKey);
  return {
    address: account.address.toLowerCase() as Address,
    signTransaction: (unsigned) => account.signTransaction(unsigned),
    signTypedData: (data) => account.signTypedData(data),
  };
}
