import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Hex } from '../../base/shared/hex.js';
import { canonicalJson, type JsonObject } from '../../base/shared/json.js';

/** RFC 8037: an Ed25519 public key. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
}

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly x: string;
}

/** PKCS #8 header of an Ed25519 private key (RFC 8410 section 7); the 32-byte seed follows. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED = /^0x[0-9a-f]{64}$/i;
const KEY_ID_LENGTH = 16;

/**
 * Signs receipts and offers as compact JWS with Ed25519 and a `kid` that a did:web resolver finds on this server. The
 * newest key signs; all are published, so that what an older one signed stays verifiable. Throws rather than sign badly.
 */
export class ReceiptSigner {
  /** `did:web` of the public host; a port is percent-encoded, as the did:web method asks. */
  readonly did: string;
  private readonly keys: readonly Key[];
  private readonly header: string;

  /** @param seeds 32-byte Ed25519 seeds, newest first; at least one */
  constructor(publicUrl: string, seeds: readonly Hex[]) {
    this.did = `did:web:${encodeURIComponent(new URL(publicUrl).host)}`;
    this.keys = seeds.map((seed) => importSeed(this.did, seed));
    const [newest] = this.keys;
    if (newest === undefined) throw new Error('receipts need a signing key');
    this.header = base64url(JSON.stringify({ alg: 'EdDSA', kid: newest.kid }));
  }

  /** DID URL of the key that signs. */
  get kid(): string {
    return this.keys[0]!.kid;
  }

  /** Compact JWS over the canonical JSON of the payload: the same payload gives the same bytes (RFC 8032 is deterministic). */
  sign(payload: JsonObject): string {
    const input = `${this.header}.${base64url(canonicalJson(payload))}`;
    const signature = sign(null, Buffer.from(input), this.keys[0]!.privateKey);
    return `${input}.${signature.toString('base64url')}`;
  }

  /** RFC 7517 key set with all keys. */
  jwks(): { readonly keys: readonly PublicJwk[] } {
    return { keys: this.keys.map(publicJwk) };
  }

  /** DID document of the host: every key is a verification method for assertions. */
  didDocument(): JsonObject {
    const verificationMethod = this.keys.map((key) => {
      const { kty, crv, x } = publicJwk(key);
      return { id: key.kid, type: 'JsonWebKey2020', controller: this.did, publicKeyJwk: { kty, crv, x } };
    });
    return {
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1'],
      id: this.did,
      verificationMethod,
      assertionMethod: this.keys.map((key) => key.kid),
    };
  }
}

function importSeed(did: string, seed: Hex): Key {
  // The message names no part of the key.
  if (!SEED.test(seed)) throw new Error('a receipt key is 32 bytes of hex');
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(seed.slice(2), 'hex')]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const x = createPublicKey(privateKey).export({ format: 'jwk' }).x!;
  return { kid: `${did}#${thumbprint(x).slice(0, KEY_ID_LENGTH)}`, privateKey, x };
}

/** RFC 7638 with the members that RFC 8037 section 2 names, in their fixed order. */
function thumbprint(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');
}

function publicJwk({ kid, x }: Key): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' };
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
