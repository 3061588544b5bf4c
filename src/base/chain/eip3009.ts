import { encodeFunctionData, multicall3Abi } from 'viem';
import { type Address, chainIdOf, type Hex } from '../shared/hex.js';
import type { SettlementItem, Token, TransferAuthorization } from './chain.js';
import { keccak256, recoverAddress } from './native-crypto.js';
import { tokenAbi } from './token-abi.js';

const MAX_UINT256 = 2n ** 256n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;
/** Half the order of secp256k1: a larger `s` is the same signature written twice (EIP-2), which the token refuses. */
const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex');

const domainTypeHash = typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');
const transferTypeHash = typeHash(
  'TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
);

// Scratch buffers: everything here is synchronous, so one of each is enough.
const struct = Buffer.alloc(7 * 32);
const preimage = Buffer.from([0x19, 0x01, ...Buffer.alloc(64)]);
const signatureBytes = Buffer.alloc(65);
const rs = signatureBytes.subarray(0, 64);

const separators = new WeakMap<Token, Buffer>();

/** EIP-712 domain separator of a token, 32 bytes; computed once per `Token` object. */
export function domainSeparator(token: Token): Buffer {
  let separator = separators.get(token);
  if (separator === undefined) {
    const domain = Buffer.alloc(5 * 32);
    domainTypeHash.copy(domain, 0);
    keccak256(Buffer.from(token.name)).copy(domain, 32);
    keccak256(Buffer.from(token.version)).copy(domain, 64);
    writeUint256(domain, BigInt(chainIdOf(token.network)), 96);
    writeHex(domain, token.address, 128 + 12, 20);
    separator = keccak256(domain);
    separators.set(token, separator);
  }
  return separator;
}

/**
 * EIP-712 digest of TransferWithAuthorization (EIP-3009), 32 bytes.
 * Throws a RangeError for a field that does not fit its type: wrapped around, it would be the digest of another transfer.
 */
export function authorizationDigest(token: Token, authorization: TransferAuthorization): Buffer {
  domainSeparator(token).copy(preimage, 2);
  transferTypeHash.copy(struct, 0);
  writeHex(struct, authorization.from, 32 + 12, 20);
  writeHex(struct, authorization.to, 64 + 12, 20);
  writeUint256(struct, authorization.value, 96);
  writeUint256(struct, authorization.validAfter, 128);
  writeUint256(struct, authorization.validBefore, 160);
  writeHex(struct, authorization.nonce, 192, 32);
  keccak256(struct).copy(preimage, 34);
  return keccak256(preimage);
}

const transferFields = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
] as const;

/** The same as `authorizationDigest` is of, for whoever signs typed data (EIP-712). */
export function authorizationTypedData(token: Token, authorization: TransferAuthorization) {
  const { address: verifyingContract, name, network, version } = token;
  return {
    domain: { name, version, chainId: chainIdOf(network), verifyingContract },
    types: { TransferWithAuthorization: transferFields },
    primaryType: 'TransferWithAuthorization',
    message: { ...authorization },
  } as const;
}

/**
 * Who signed, by the rules of the token's ECRecover: exactly 65 bytes, `s` in the lower half, `v` 27 or 28.
 * `undefined` for anything that the token would revert on.
 */
export function recoverSigner(digest: Uint8Array, signature: Hex): Address | undefined {
  if (signature.length !== 132 || !signature.startsWith('0x')) return undefined;
  if (signatureBytes.write(signature.slice(2), 'hex') !== 65) return undefined;
  if (signatureBytes.compare(HALF_ORDER, 0, 32, 32, 64) > 0) return undefined;
  const v = signatureBytes[64];
  if (v !== 27 && v !== 28) return undefined;
  return recoverAddress(digest, rs, v - 27);
}

/** Call data of `transferWithAuthorization(…, bytes signature)`. */
export function transferCallData({ authorization, signature }: SettlementItem): Hex {
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  const args = [from, to, value, validAfter, validBefore, nonce, signature] as const;
  return encodeFunctionData({ abi: tokenAbi, functionName: 'transferWithAuthorization', args });
}

/** Call data of one Multicall3 `aggregate3` in which each transfer may fail alone. */
export function batchCallData(token: Token, items: readonly SettlementItem[]): Hex {
  const calls = items.map((item) => ({
    target: token.address,
    allowFailure: true,
    callData: transferCallData(item),
  }));
  return encodeFunctionData({ abi: multicall3Abi, functionName: 'aggregate3', args: [calls] });
}

function typeHash(type: string): Buffer {
  return keccak256(Buffer.from(type));
}

function writeHex(target: Buffer, value: Hex, offset: number, bytes: number): void {
  if (value.length !== 2 + 2 * bytes || target.write(value.slice(2), offset, bytes, 'hex') !== bytes) {
    throw new RangeError(`not ${bytes} bytes of hex`);
  }
}

function writeUint256(target: Buffer, value: bigint, offset: number): void {
  if (value < 0n || value > MAX_UINT256) throw new RangeError('not a uint256');
  if (value <= MAX_UINT64) {
    target.fill(0, offset, offset + 24);
  } else {
    for (let limb = 0; limb < 3; limb++) {
      target.writeBigUInt64BE(BigInt.asUintN(64, value >> BigInt(192 - 64 * limb)), offset + 8 * limb);
    }
  }
  target.writeBigUInt64BE(BigInt.asUintN(64, value), offset + 24);
}
