import { decodeErrorResult, encodeFunctionData, parseAbi } from 'viem';
import type { Address, Hex } from '../shared/hex.js';
import type { SettlementItem, Token } from './chain.js';
import { type ChainClient, revertOf, unavailable } from './chain-client.js';
import { transferCallData } from './eip3009.js';
import { tokenAbi } from './token-abi.js';

/** Gas that one transfer may use, the payer's own contract included. It caps what such a contract can burn. */
export const CONTRACT_PAYER_GAS = 320_000n;

const errorAbi = parseAbi(['error Error(string)']);

/** ERC-20 balance in atomic units at the latest block. Rejects as the client does. */
export async function balanceOf(client: ChainClient, token: Token, account: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'balanceOf', args: [account] });
  return BigInt(await ethCall(client, token.address, data));
}

/** EIP-3009: true if the nonce was used or cancelled. Rejects as the client does. */
export async function authorizationState(
  client: ChainClient,
  token: Token,
  authorizer: Address,
  nonce: Hex,
): Promise<boolean> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'authorizationState', args: [authorizer, nonce] });
  return BigInt(await ethCall(client, token.address, data)) !== 0n;
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
export async function refusalOfTransfer(
  client: ChainClient,
  token: Token,
  item: SettlementItem,
): Promise<string | undefined> {
  const call = { to: token.address, data: transferCallData(item), gas: toHex(CONTRACT_PAYER_GAS) };
  try {
    await client.request({ method: 'eth_call', params: [call, 'pending'] }, { retryCount: 0 });
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

function ethCall(client: ChainClient, to: Address, data: Hex): Promise<Hex> {
  return client.request({ method: 'eth_call', params: [{ to, data }, 'latest'] });
}

function toHex(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
