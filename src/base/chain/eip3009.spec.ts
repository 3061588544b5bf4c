import fc from 'fast-check';
import { hashDomain, hashTypedData, keccak256 as viemKeccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from '../shared/hex.js';
import type { Token, TransferAuthorization } from './chain.js';
import { authorizationDigest, domainSeparator, recoverSigner } from './eip3009.js';
import { keccak256, nativeCryptoReady } from './native-crypto.js';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value): Hex => `0x${Buffer.from(value).toString('hex')}`);
const uint256 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n + 1n }), fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }));
const token: fc.Arbitrary<Token> = fc.record({
  network: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((id): Token['network'] => `eip155:${id}`),
  address: hex(20),
  name: fc.string({ unit: 'grapheme' }),
  version: fc.string(),
  decimals: fc.constant(6),
});
const authorization: fc.Arbitrary<TransferAuthorization> = fc.record({
  from: hex(20),
  to: hex(20),
  value: uint256,
  validAfter: uint256,
  validBefore: uint256,
  nonce: hex(32),
});

const types = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const;

function domainOf({ network, address, name, version }: Token) {
  return { name, version, chainId: Number(network.slice(7)), verifyingContract: address };
}

function typedData(of: Token, message: TransferAuthorization) {
  return { domain: domainOf(of), types, primaryType: 'TransferWithAuthorization', message } as const;
}

const usdc: Token = {
  network: 'eip155:84532',
  address: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  name: 'USDC',
  version: '2',
  decimals: 6,
};
const payer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const from = payer.address.toLowerCase() as Address;
const plain: TransferAuthorization = {
  from,
  to: `0x${'22'.repeat(20)}`,
  value: 1_000n,
  validAfter: 0n,
  validBefore: 2_000_000_000n,
  nonce: `0x${'33'.repeat(32)}`,
};

function withV(signature: Hex, v: number): Hex {
  return `${signature.slice(0, -2) as Hex}${v.toString(16).padStart(2, '0')}`;
}

describe('native crypto', () => {
  it('is there', () => {
    expect(nativeCryptoReady()).toBe(true);
  });

  it('hashes as viem does, for every length around the block size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(`0x${keccak256(data).toString('hex')}`).toBe(viemKeccak256(data));
      }),
    );
  });
});

describe('authorizationDigest', () => {
  it('is the EIP-712 digest that viem computes, for any token and any fields', () => {
    fc.assert(
      fc.property(token, authorization, (anyToken, message) => {
        expect(`0x${authorizationDigest(anyToken, message).toString('hex')}`).toBe(
          hashTypedData(typedData(anyToken, message)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('knows the domain separator that USDC has on Base Sepolia', () => {
    expect(`0x${domainSeparator(usdc).toString('hex')}`).toBe(
      hashDomain({
        domain: { ...domainOf(usdc), chainId: 84_532n },
        types: {
          EIP712Domain: [
            { name: 'name', type: 'string' },
            { name: 'version', type: 'string' },
            { name: 'chainId', type: 'uint256' },
            { name: 'verifyingContract', type: 'address' },
          ],
        },
      }),
    );
  });

  it.each([
    ['value', 2n ** 256n],
    ['value', -1n],
    ['validBefore', 2n ** 256n + 5n],
    ['nonce', '0x12'],
    ['from', `0x${'zz'.repeat(20)}`],
  ])('refuses to wrap %s %s', (field, value) => {
    expect(() => authorizationDigest(usdc, { ...plain, [field]: value })).toThrow(RangeError);
  });
});

describe('recoverSigner', () => {
  it('finds whoever signed', async () => {
    const signature = await payer.signTypedData(typedData(usdc, plain));
    expect(recoverSigner(authorizationDigest(usdc, plain), signature)).toBe(from);
    expect(recoverSigner(authorizationDigest(usdc, plain), signature.toUpperCase().replace('0X', '0x') as Hex)).toBe(
      from,
    );
  });

  it('knows nobody for shapes that the token reverts on', async () => {
    const digest = authorizationDigest(usdc, plain);
    const signature = await payer.signTypedData(typedData(usdc, plain));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    const v = Number.parseInt(signature.slice(-2), 16);
    const zeros = '0'.repeat(64);
    const shapes: Hex[] = [
      `0x${signature.slice(2, 66)}${highS}${(55 - v).toString(16)}`,
      withV(signature, 0),
      withV(signature, 1),
      withV(signature, 29),
      signature.slice(0, -2) as Hex,
      `${signature}00`,
      `0x${zeros}${signature.slice(66)}`,
      `0x${signature.slice(2, 66)}${zeros}1b`,
      `0x${signature.slice(2, 130)}g0`,
      '0x',
    ];
    for (const shape of shapes) expect([shape, recoverSigner(digest, shape)]).toEqual([shape, undefined]);
  });
});
