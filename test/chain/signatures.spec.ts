import fc from 'fast-check';
import { encodeFunctionData, parseAbi } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { ChainUnavailable, type Token, type TransferAuthorization } from '../../src/base/chain/chain.js';
import { createChainClient, revertOf } from '../../src/base/chain/chain-client.js';
import { checkEcdsa, checkSignature } from '../../src/base/chain/signatures.js';
import { hasCode } from '../../src/base/chain/token-calls.js';
import type { Address, Hex } from '../../src/base/shared/hex.js';
import { freePort } from '../support/ports.js';
import { mintUsdc } from '../support/usdc.js';
import {
  addressOf,
  authorizationOf,
  type LocalChain,
  randomHex,
  randomKey,
  signAuthorization,
  startLocalChain,
  walletCode,
} from './support.js';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const abi = parseAbi([
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)',
]);
const payee: Address = `0x${'77'.repeat(20)}`;

let chain: LocalChain;
beforeAll(async () => {
  chain = await startLocalChain();
});
afterAll(() => chain.stop());

/** What the token itself says, by executing the call against the pending block. */
async function tokenAccepts(authorization: TransferAuthorization, signature: Hex): Promise<boolean> {
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  const args = [from, to, value, validAfter, validBefore, nonce, signature] as const;
  const data = encodeFunctionData({ abi, functionName: 'transferWithAuthorization', args });
  try {
    await chain.client.request({ method: 'eth_call', params: [{ to: chain.token.address, data }, 'pending'] });
    return true;
  } catch (error) {
    if (revertOf(error) === undefined) throw error;
    return false;
  }
}

async function verdictOf(authorization: TransferAuthorization, signature: Hex, token: Token = chain.token) {
  const code = await hasCode(chain.client, authorization.from);
  const ecdsa = checkEcdsa(token, authorization, signature);
  return checkSignature({ token, authorization, signature, hasCode: code, ecdsa, client: chain.client });
}

async function funded(account: PrivateKeyAccount): Promise<Address> {
  await mintUsdc(chain.rpcUrl, addressOf(account), 1_000_000_000n);
  return addressOf(account);
}

type Shape = (signature: Hex, entropy: Hex) => Hex;
const v = (signature: Hex) => Number.parseInt(signature.slice(130, 132), 16);
const withV = (signature: Hex, value: number): Hex =>
  `${signature.slice(0, 130) as Hex}${value.toString(16).padStart(2, '0')}`;

const shapes: Record<string, Shape> = {
  'as signed': (signature) => signature,
  'upper case': (signature) => `0x${signature.slice(2).toUpperCase()}`,
  'high s': (signature) => {
    const s = (ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    return withV(`${signature.slice(0, 66)}${s}00` as Hex, 55 - v(signature));
  },
  'v 0 or 1': (signature) => withV(signature, v(signature) - 27),
  'other v': (signature) => withV(signature, 55 - v(signature)),
  'any v': (signature, entropy) => withV(signature, Number.parseInt(entropy.slice(2, 4), 16)),
  'compact (EIP-2098)': (signature) => {
    const s = BigInt(`0x${signature.slice(66, 130)}`) | (BigInt(v(signature) - 27) << 255n);
    return `${signature.slice(0, 66) as Hex}${s.toString(16).padStart(64, '0')}`;
  },
  truncated: (signature) => signature.slice(0, 130) as Hex,
  'trailing byte': (signature, entropy) => `${signature}${entropy.slice(2, 4)}`,
  'trailing word': (signature, entropy) => `${signature}${entropy.slice(2, 66)}`,
  'one bit off': (signature, entropy) => {
    const bytes = Buffer.from(signature.slice(2), 'hex');
    const bit = Number.parseInt(entropy.slice(2, 6), 16) % 512;
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    return `0x${bytes.toString('hex')}`;
  },
  random: (_, entropy) => `0x${entropy.slice(2, 130)}1b`,
  'r zero': (signature) => `0x${'0'.repeat(64)}${signature.slice(66)}` as Hex,
  's zero': (signature) => `${signature.slice(0, 66)}${'0'.repeat(64)}${signature.slice(130)}` as Hex,
  empty: () => '0x',
  'wrapped (ERC-6492)': (signature) => `${signature}${'6492'.repeat(16)}`,
};

type Signing = (account: PrivateKeyAccount, authorization: TransferAuthorization) => Promise<Hex>;
const signings: Record<string, Signing> = {
  properly: (account, authorization) => signAuthorization(account, chain.token, authorization),
  'with another key': (_, authorization) =>
    signAuthorization(privateKeyToAccount(randomKey()), chain.token, authorization),
  'as ReceiveWithAuthorization': (account, authorization) =>
    signAuthorization(account, chain.token, authorization, 'ReceiveWithAuthorization'),
  'for another name': (account, authorization) =>
    signAuthorization(account, { ...chain.token, name: 'USD Coin' }, authorization),
  'for another version': (account, authorization) =>
    signAuthorization(account, { ...chain.token, version: '1' }, authorization),
  'for another chain': (account, authorization) =>
    signAuthorization(account, { ...chain.token, network: 'eip155:8453' }, authorization),
  'for another contract': (account, authorization) =>
    signAuthorization(account, { ...chain.token, address: payee }, authorization),
  'for another amount': (account, authorization) =>
    signAuthorization(account, chain.token, { ...authorization, value: authorization.value + 1n }),
  'for another payee': (account, authorization) =>
    signAuthorization(account, chain.token, { ...authorization, to: chain.settler }),
  'for another window': (account, authorization) =>
    signAuthorization(account, chain.token, { ...authorization, validBefore: authorization.validBefore - 1n }),
  'for another nonce': (account, authorization) =>
    signAuthorization(account, chain.token, { ...authorization, nonce: randomHex(32) }),
};

const shape = fc.constantFrom(...Object.keys(shapes));
// Most properly signed, so that shapes are tried on signatures that are good otherwise.
const signing = fc.oneof(
  { weight: 2, arbitrary: fc.constant('properly') },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(signings)) },
);
const entropy = fc
  .uint8Array({ minLength: 64, maxLength: 64 })
  .map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);
const amount = fc.bigInt({ min: 0n, max: 1_000_000n });
/** Those of one array are judged at once: their calls travel in few requests. 1,200 by keys and 800 by wallets in all. */
const cases = (length: number) =>
  fc.array(fc.record({ how: signing, as: shape, noise: entropy, value: amount }), {
    minLength: length,
    maxLength: length,
  });
type Case = ReturnType<typeof cases> extends fc.Arbitrary<readonly (infer T)[]> ? T : never;
const KEYS = { size: 100, numRuns: 12 };
const WALLETS = { size: 20, numRuns: 4 };

async function compare(account: PrivateKeyAccount, { as, how, noise, value }: Case) {
  const authorization = authorizationOf(addressOf(account), payee, value);
  const signed = await signings[how]!(account, authorization);
  const signature = shapes[as]!(signed, noise);
  const accepted = await tokenAccepts(authorization, signature);
  return { as, verdict: await verdictOf(authorization, signature), accepted, authorization, signature };
}

describe('a payer without code', () => {
  it('is accepted here exactly when the token accepts', async () => {
    const account = privateKeyToAccount(randomKey());
    await funded(account);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(cases(KEYS.size), async (all) => {
        for (const outcome of await Promise.all(all.map((one) => compare(account, one)))) {
          expect(outcome.verdict.valid).toBe(outcome.accepted);
          expect(checkEcdsa(chain.token, outcome.authorization, outcome.signature)).toEqual(outcome.verdict);
          if (outcome.accepted) accepted += 1;
        }
      }),
      { numRuns: KEYS.numRuns },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

interface Wallet {
  readonly name: string;
  readonly contract: string;
  readonly delegated: boolean;
  storage(owner: Address): bigint;
}

const owner = (address: Address) => BigInt(address);
const ownerAndYes = (address: Address) => BigInt(address) | (1n << 160n);
const wallets: readonly Wallet[] = [false, true].flatMap((delegated) => [
  { name: 'asks for its owner', contract: 'MockERC1271Wallet', delegated, storage: owner },
  { name: 'accepts all', contract: 'MockERC1271WalletWithCustomValidation', delegated, storage: ownerAndYes },
  { name: 'rejects all', contract: 'MockERC1271WalletWithCustomValidation', delegated, storage: owner },
  { name: 'answers 32 bytes of ones', contract: 'MockERC1271WalletReturningBytes32', delegated, storage: owner },
  { name: 'changes state when asked', contract: 'MockStateModifyingERC1271Wallet', delegated, storage: () => 0n },
]);

/** Puts the wallet's code at the account's own address, or an EIP-7702 delegation to a contract that has it. */
async function becomeWallet(account: PrivateKeyAccount, { contract, delegated, storage }: Wallet): Promise<void> {
  const address = await funded(account);
  const home = delegated ? randomHex(20) : address;
  await chain.node.setCode({ address: home, bytecode: walletCode(contract) });
  if (delegated) await chain.node.setCode({ address, bytecode: `0xef0100${home.slice(2)}` });
  const value = `0x${storage(address).toString(16).padStart(64, '0')}` as const;
  await chain.node.setStorageAt({ address, index: 0, value });
}

describe.each(wallets)('a payer with code that $name (delegated: $delegated)', (wallet) => {
  it('is never accepted here and refused by the token', async () => {
    const account = privateKeyToAccount(randomKey());
    await becomeWallet(account, wallet);
    expect(await hasCode(chain.client, addressOf(account))).toBe(true);
    await fc.assert(
      fc.asyncProperty(cases(WALLETS.size), async (all) => {
        for (const { accepted, as, verdict } of await Promise.all(all.map((one) => compare(account, one)))) {
          // Stricter than the token on purpose: no wrapped and no empty signatures.
          const refusedHere = as.startsWith('wrapped') || as === 'empty';
          expect(verdict.valid).toBe(accepted && !refusedHere);
        }
      }),
      { numRuns: WALLETS.numRuns },
    );
  });
});

describe('a payer with code', () => {
  it('gets no second chance by its own key', async () => {
    const account = privateKeyToAccount(randomKey());
    await becomeWallet(account, wallets.find(({ name, delegated }) => name === 'rejects all' && delegated)!);
    const authorization = authorizationOf(addressOf(account), payee, 1n);
    const signature = await signAuthorization(account, chain.token, authorization);
    expect(checkEcdsa(chain.token, authorization, signature)).toEqual({ valid: true });
    expect(await verdictOf(authorization, signature)).toEqual({ valid: false, reason: 'rejected_by_wallet' });
  });

  it('cannot burn more than the cap', async () => {
    const account = privateKeyToAccount(randomKey());
    const from = await funded(account);
    await chain.node.setCode({ address: from, bytecode: '0x5b600056' });
    const authorization = authorizationOf(from, payee, 1n);
    expect(await verdictOf(authorization, randomHex(65))).toEqual({ valid: false, reason: 'rejected_by_wallet' });
  });

  it('is not judged while the chain cannot be asked', async () => {
    const client = createChainClient({ rpcUrl: `http://127.0.0.1:${await freePort()}`, timeoutMs: 500 });
    const authorization = authorizationOf(randomHex(20), payee, 1n);
    const ecdsa = { valid: true } as const;
    const check = { token: chain.token, authorization, signature: randomHex(65), hasCode: true, ecdsa, client };
    await expect(checkSignature(check)).rejects.toThrow(ChainUnavailable);
  });
});
