import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Address } from '../shared/hex.js';

interface Sponge {
  initialize(rate: number, capacity: number): void;
  absorb(data: Uint8Array): void;
  squeeze(length: number): Buffer;
}
interface Secp256k1 {
  /** 0 if the key was recovered into `output`. */
  ecdsaRecover(output: Uint8Array, signature: Uint8Array, recovery: number, digest: Uint8Array): number;
}
interface NativeCrypto {
  readonly sponge: Sponge;
  readonly secp256k1: Secp256k1;
}

const require = createRequire(import.meta.url);

/** The packages' own wrappers add a stream and argument checks to each call; their add-ons alone halve the cost of a hash. */
function loadAddon(name: string): unknown {
  const manifest = require.resolve(`${name}/package.json`);
  const load = createRequire(manifest)('node-gyp-build') as (directory: string) => unknown;
  return load(dirname(manifest));
}

function loadNativeCrypto(): NativeCrypto | Error {
  try {
    const SpongeAddon = loadAddon('keccak') as new () => Sponge;
    const curves = loadAddon('secp256k1') as { Secp256k1: new () => Secp256k1 };
    return { sponge: new SpongeAddon(), secp256k1: new curves.Secp256k1() };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const loaded = loadNativeCrypto();

function native(): NativeCrypto {
  if (loaded instanceof Error) throw loaded;
  return loaded;
}

/** `true`, or why signatures cannot be checked here: without the native code a check costs 40 times more. */
export function nativeCryptoReady(): true | string {
  return loaded instanceof Error ? `native keccak or secp256k1 is missing: ${loaded.message}` : true;
}

/** Keccak-256 as Ethereum uses it (the padding before FIPS 202); 32 bytes. */
export function keccak256(data: Uint8Array): Buffer {
  const { sponge } = native();
  sponge.initialize(1088, 512);
  sponge.absorb(data);
  return sponge.squeeze(32);
}

const publicKey = new Uint8Array(65);
const coordinates = publicKey.subarray(1);

/**
 * Address whose key signed `digest` (32 bytes) with `signature` (r and s, 64 bytes) and recovery id 0 or 1;
 * `undefined` if there is none (SEC 1, 4.1.6).
 */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array, recovery: number): Address | undefined {
  if (native().secp256k1.ecdsaRecover(publicKey, signature, recovery, digest) !== 0) return undefined;
  return `0x${keccak256(coordinates).toString('hex', 12)}`;
}
