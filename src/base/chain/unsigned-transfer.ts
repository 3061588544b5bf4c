import { numberToHex } from 'viem';
import { type Address, chainIdOf, type Hex } from '../shared/hex.js';
import type { Token } from './chain.js';
import type { ChainClient } from './chain-client.js';
import { plainTransferData } from './token-calls.js';

/** An ERC-20 transfer that its sender has still to sign, as JSON-RPC writes transactions (`eth_signTransaction`): quantities in hex. */
export interface UnsignedTransfer {
  readonly type: '0x2';
  readonly chainId: Hex;
  readonly from: Address;
  /** The token. */
  readonly to: Address;
  readonly value: '0x0';
  readonly data: Hex;
  /** These four are missing where the node could not tell. */
  readonly nonce?: Hex;
  /** With a fifth to spare. */
  readonly gas?: Hex;
  readonly maxFeePerGas?: Hex;
  readonly maxPriorityFeePerGas?: Hex;
}

export interface PlainTransfer {
  readonly token: Pick<Token, 'address' | 'network'>;
  readonly from: Address;
  readonly to: Address;
  /** Atomic units. */
  readonly value: bigint;
}

/** Never rejects: what the node does not tell is left out. */
export async function unsignedTransfer(client: ChainClient, transfer: PlainTransfer): Promise<UnsignedTransfer> {
  const { from, to, token, value } = transfer;
  const data = plainTransferData(to, value);
  const [nonce, gas, fees] = await Promise.all([
    told(client.getTransactionCount({ address: from, blockTag: 'pending' })),
    told(client.estimateGas({ account: from, to: token.address, data })),
    told(client.estimateFeesPerGas()),
  ]);
  return {
    type: '0x2',
    chainId: numberToHex(chainIdOf(token.network)),
    ...{ from, to: token.address, value: '0x0', data },
    ...(nonce !== undefined && { nonce: numberToHex(nonce) }),
    ...(gas !== undefined && { gas: numberToHex((gas * 6n) / 5n) }),
    ...(fees && {
      maxFeePerGas: numberToHex(fees.maxFeePerGas),
      maxPriorityFeePerGas: numberToHex(fees.maxPriorityFeePerGas),
    }),
  };
}

/** The same as a link or QR code that wallets understand (EIP-681). */
export function transferUri({ to, token, value }: Omit<PlainTransfer, 'from'>): string {
  return `ethereum:${token.address}@${chainIdOf(token.network)}/transfer?address=${to}&uint256=${value}`;
}

function told<T>(question: Promise<T>): Promise<T | undefined> {
  return question.catch(() => undefined);
}
