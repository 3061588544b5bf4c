import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClient, encodeFunctionData, erc20Abi, http, parseAbi, parseEther, publicActions } from 'viem';
import { type Anvil, startAnvil } from '../../src/base/embedded/anvil.js';
import { ensureUsdc, USDC_ADDRESS, USDC_ADMIN } from '../../src/base/embedded/usdc.js';
import type { Address, Hex, Network } from '../../src/base/shared/hex.js';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';

/** A chain with USDC that can go away and come back with its blocks. */
export interface LastingChain {
  readonly network: Network;
  readonly rpcUrl: string;
  readonly node: ReturnType<typeof nodeAt>;
  /** Sends a call as its sender, whose key nobody needs, and has it mined. */
  sendAs(from: Address, to: Address, data: Hex): Promise<Hex>;
  /** Tokens of this kind that an account has, in atomic units. */
  balanceOf(token: Address, account: Address): Promise<bigint>;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

export async function startLastingChain(chainId: number, settlers: readonly Address[]): Promise<LastingChain> {
  const folder = await mkdtemp(join(tmpdir(), 'tollbook-lasting-'));
  const options = { stateFile: join(folder, 'state.json'), port: await freePort(), chainId, log: () => undefined };
  let anvil: Anvil | undefined = await startAnvil(options);
  const { rpcUrl } = anvil;
  await ensureUsdc(rpcUrl, settlers);
  const node = nodeAt(rpcUrl);
  const leave = async () => {
    await anvil?.stop();
    anvil = undefined;
  };
  return {
    network: `eip155:${chainId}`,
    rpcUrl,
    node,
    async sendAs(from, to, data) {
      await node.setBalance({ address: from, value: parseEther('10') });
      const hash = await node.sendUnsignedTransaction({ from, to, data, gas: 1_000_000n });
      await eventually(async () => (await node.getTransactionReceipt({ hash })).status === 'success');
      return hash;
    },
    balanceOf: (token, account) =>
      node.readContract({ address: token, abi: erc20Abi, functionName: 'balanceOf', args: [account] }),
    leave,
    async comeBack() {
      anvil ??= await startAnvil(options);
    },
    async stop() {
      await leave();
      await rm(folder, { recursive: true });
    },
  };
}

const abi = parseAbi([
  'function initialize(string tokenName, string tokenSymbol, string tokenCurrency, uint8 tokenDecimals, address newMasterMinter, address newPauser, address newBlacklister, address newOwner)',
  'function initializeV2(string newName)',
  'function initializeV2_1(address lostAndFound)',
  'function initializeV2_2(address[] accountsToBlacklist, string newSymbol)',
  'function configureMinter(address minter, uint256 minterAllowedAmount)',
  'function mint(address to, uint256 amount)',
]);

/** Another instance of USDC's code, with a name and decimals of its own. */
export async function installToken(chain: LastingChain, address: Address, name: string, decimals: number) {
  const bytecode = await chain.node.getCode({ address: USDC_ADDRESS });
  await chain.node.setCode({ address, bytecode: bytecode! });
  const roles = [USDC_ADMIN, USDC_ADMIN, USDC_ADMIN, USDC_ADMIN] as const;
  const calls = [
    encodeFunctionData({ abi, functionName: 'initialize', args: [name, name, name, decimals, ...roles] }),
    encodeFunctionData({ abi, functionName: 'initializeV2', args: [name] }),
    encodeFunctionData({ abi, functionName: 'initializeV2_1', args: ['0x000000000000000000000000000000000000dead'] }),
    encodeFunctionData({ abi, functionName: 'initializeV2_2', args: [[], name] }),
    encodeFunctionData({ abi, functionName: 'configureMinter', args: [USDC_ADMIN, 2n ** 200n] }),
  ];
  for (const data of calls) await chain.sendAs(USDC_ADMIN, address, data);
}

export function mint(chain: LastingChain, token: Address, to: Address, amount: bigint): Promise<Hex> {
  return chain.sendAs(USDC_ADMIN, token, encodeFunctionData({ abi, functionName: 'mint', args: [to, amount] }));
}

/** Sends tokens as their owner. */
export function transfer(chain: LastingChain, token: Address, from: Address, to: Address, amount: bigint) {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] });
  return chain.sendAs(from, token, data);
}

function nodeAt(rpcUrl: string) {
  return createTestClient({ mode: 'anvil', transport: http(rpcUrl) }).extend(publicActions);
}
