import {
  createPublicClient,
  createTestClient,
  encodeFunctionData,
  erc20Abi,
  http,
  parseAbiItem,
  publicActions,
} from 'viem';
import { mintCallData, sendAsAdmin, USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { eventually } from './eventually.js';

/**
 * Mints USDC (atomic units) on the embedded chain. Specs that share the chain share its minter: of two mints at once both
 * can be given one nonce, and the node refuses the second, which is then sent anew.
 */
export async function mintUsdc(rpcUrl: string, to: Address, amount: bigint): Promise<void> {
  await eventually(async () => {
    await sendAsAdmin(rpcUrl, [mintCallData(to, amount)]);
    return true;
  });
}

/** Sends USDC as its owner, whose key nobody needs: the embedded node signs for any address. Resolves when mined. */
export async function transferUsdc(rpcUrl: string, from: Address, to: Address, amount: bigint): Promise<Hex> {
  const node = createTestClient({ mode: 'anvil', transport: http(rpcUrl) }).extend(publicActions);
  await node.setBalance({ address: from, value: 10n ** 18n });
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] });
  const hash = await node.sendUnsignedTransaction({ from, to: USDC_ADDRESS, data, gas: 200_000n });
  await eventually(async () => (await node.getTransactionReceipt({ hash })).status === 'success');
  return hash;
}

const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');

/** About a kilobyte each, and there may be a hundred thousand of them. */
export const LOGS_MAX_BYTES = 200_000_000;

/** Transfers of USDC since the first block, oldest first, one entry for each: the chain's own account of charges. */
export async function transfers(
  rpcUrl: string,
  parties: { readonly from?: Address | readonly Address[]; readonly to?: Address },
): Promise<readonly { readonly transaction: Hex; readonly value: bigint }[]> {
  const client = createPublicClient({
    transport: http(rpcUrl, { timeout: 60_000, maxResponseBodySize: LOGS_MAX_BYTES }),
  });
  const args = { ...parties, from: typeof parties.from === 'string' ? [parties.from] : parties.from?.slice() };
  const logs = await client.getLogs({ address: USDC_ADDRESS, event: TRANSFER, args, fromBlock: 0n });
  return logs.map(({ args: { value }, transactionHash }) => ({ transaction: transactionHash, value: value! }));
}
