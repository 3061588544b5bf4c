import { decodeErrorResult, encodeFunctionData, parseAbi } from 'viem';
import type { Address, Hex } from '../shared/hex.js';
import type { SettlementItem, Token } from './chain.js';
import { type ChainClient, revertOf, unavailable } from './chain-client.js';
import { transferCallData } from './eip3009.js';
import { tokenAbi } from './token-abi.js';

/** Gas that one transfer may use, the payer's own contract included. It caps what such a contract can burn. */
export const CONTRACT_PAYER_GAS = 320_000n;

const errorAbi = parseAbi(['error Error(string)']);

/**
 * ERC-20 balance in atomic units, at the latest block or after a given one. Rejects as the client does, also for a block
 * whose state the node has dropped: most keep a few hundred.
 */
export async function balanceOf(
  client: ChainClient,
  token: Pick<Token, 'address'>,
  account: Address,
  block: bigint | 'latest' = 'latest',
): Promise<bigint> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'balanceOf', args: [account] });
  const at = block === 'latest' ? block : toHex(block);
  return BigInt(await client.request({ method: 'eth_call', params: [{ to: token.address, data }, at] }));
}

/** EIP-3009: true if the nonce was used or cancelled. Rejects as the client does. */
export async function authorizationState(
  client: ChainClient,
  token: Token,
  authorizer: Address,
  nonce: Hex,
): Promise<boolean> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'authorizationState', args: [authorizer, nonce] });
  return BigInt(await client.request({ method: 'eth_call', params: [{ to: token.address, data }, 'latest'] })) !== 0n;
}

/** True for contracts and for accounts with an EIP-7702 delegation: `extcodesize` counts both. */
export async function hasCode(client: ChainClient, account: Address): Promise<boolean> {
  const code = await client.request({ method: 'eth_getCode', params: [account, 'latest'] });
  return code !== '0x';
}

/**
 * Executes the very transfer against the pending block, whose time is now, without sending it.
 * Resolves to why the token refuses, or `undefined`; throws ChainUnavailable if the node cannot say.
 */
export function refusalOfTransfer(
  client: ChainClient,
  token: Token,
  item: SettlementItem,
): Promise<string | undefined> {
  return refusalOf(client, { to: token.address, data: transferCallData(item), gas: toHex(CONTRACT_PAYER_GAS) });
}

/** As above, for a transfer by the sender itself: shows no signature to the node. */
export function refusalOfSending(
  client: ChainClient,
  token: Pick<Token, 'address'>,
  from: Address,
  to: Address,
  value: bigint,
): Promise<string | undefined> {
  return refusalOf(client, { from, to: token.address, data: plainTransferData(to, value) });
}

/** Call data of ERC-20 `transfer`. */
export function plainTransferData(to: Address, value: bigint): Hex {
  return encodeFunctionData({ abi: tokenAbi, functionName: 'transfer', args: [to, value] });
}

/**
 * Why the token moves nothing from this account for now, because it is blocked or all transfers are paused. Asked by a
 * transfer of nothing from the account to itself, which is a transfer as any other (ERC-20).
 * At the latest block: a node builds the pending one anew for each question, which is too dear for every payer.
 */
export function refusalOfPayer(client: ChainClient, token: Token, payer: Address): Promise<string | undefined> {
  return refusalOf(client, { from: payer, to: token.address, data: plainTransferData(payer, 0n) }, 'latest');
}

interface Call {
  readonly from?: Address;
  readonly to: Address;
  readonly data: Hex;
  readonly gas?: Hex;
}

async function refusalOf(
  client: ChainClient,
  call: Call,
  block: 'latest' | 'pending' = 'pending',
): Promise<string | undefined> {
  try {
    // Simulations are repeated by their callers, later; a look at a payer as the other reads of it are.
    const options = block === 'pending' ? { retryCount: 0 } : undefined;
    await client.request({ method: 'eth_call', params: [call, block] }, options);
    return undefined;
  } catch (error) {
    const revert = revertOf(error);
    if (revert === undefined) throw unavailable('simulation', error);
    return reasonIn(revert.data) ?? revert.message;
  }
}

function reasonIn(data: Hex): string | undefined {
  try {
    return decodeErrorResult({ abi: errorAbi, data }).args[0];
  } catch {
    return undefined;
  }
}

function toHex(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
