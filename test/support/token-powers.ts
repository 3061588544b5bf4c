import { encodeFunctionData, parseAbi } from 'viem';
import { sendAsAdmin } from '../../src/base/embedded/usdc.js';
import type { Address } from '../../src/base/shared/hex.js';

const abi = parseAbi([
  'function pause()',
  'function unpause()',
  'function blacklist(address account)',
  'function unBlacklist(address account)',
]);

/** What the pauser of USDC does to everybody. Never on a chain that other specs use. */
export function pauseUsdc(rpcUrl: string, functionName: 'pause' | 'unpause'): Promise<void> {
  return sendAsAdmin(rpcUrl, [encodeFunctionData({ abi, functionName })]);
}

/** What the blacklister of USDC does to one account. */
export function blockUsdc(rpcUrl: string, functionName: 'blacklist' | 'unBlacklist', account: Address): Promise<void> {
  return sendAsAdmin(rpcUrl, [encodeFunctionData({ abi, functionName, args: [account] })]);
}
