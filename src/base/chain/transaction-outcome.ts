import type { RpcTransactionReceipt } from 'viem';
import type { Hex } from '../shared/hex.js';
import { ChainUnavailable, type TransactionOutcome } from './chain.js';
import { asked, type ChainClient } from './chain-client.js';

/** Rollups on the OP Stack add what publishing the data costs on the chain below. */
type ReceiptOfAnyChain = RpcTransactionReceipt & { readonly l1Fee?: Hex | null };

/** `null` if the transaction is in no block. Requests for the same one that are under way are shared. Throws ChainUnavailable. */
export async function readReceipt(client: ChainClient, hash: Hex): Promise<RpcTransactionReceipt | null> {
  const request = client.request({ method: 'eth_getTransactionReceipt', params: [hash] }, { dedupe: true });
  const receipt = await asked('receipt', request);
  if (receipt !== null && receipt.transactionHash !== hash) {
    throw new ChainUnavailable('the node gave the receipt of another transaction');
  }
  return receipt;
}

/**
 * What a mined transaction cost its sender, in wei: gas used at the price paid (EIP-1559), whether it succeeded or not,
 * and the fee of the chain below where the receipt states one. Throws ChainUnavailable for a receipt without a price.
 */
export function feeOf(receipt: RpcTransactionReceipt): bigint {
  const { effectiveGasPrice, gasUsed, l1Fee } = receipt as ReceiptOfAnyChain;
  if (!effectiveGasPrice) throw new ChainUnavailable('the receipt does not say what the gas cost');
  return BigInt(gasUsed) * BigInt(effectiveGasPrice) + BigInt(l1Fee ?? 0);
}

/** Throws ChainUnavailable. */
export async function readOutcome(client: ChainClient, hash: Hex): Promise<TransactionOutcome> {
  const [receipt, transaction] = await Promise.all([
    readReceipt(client, hash),
    asked('transaction', client.request({ method: 'eth_getTransactionByHash', params: [hash] })),
  ]);
  if (receipt === null) return { kind: transaction === null ? 'unknown' : 'pending' };
  const { blockHash, blockNumber, gasUsed, status } = receipt;
  // Asked at once, so a block in between makes them differ as well.
  if (transaction?.blockHash !== blockHash) {
    throw new ChainUnavailable('the node gives a receipt of a transaction that it has not in that block');
  }
  return {
    kind: 'mined',
    blockNumber: BigInt(blockNumber),
    blockHash,
    succeeded: status === '0x1',
    gasUsed: BigInt(gasUsed),
    fee: feeOf(receipt),
  };
}
