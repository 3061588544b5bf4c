import { createHash } from 'node:crypto';

/** RFC 8037: the public key by which a customer signs. */
export interface SigningJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** 32 bytes, base64url without padding. */
  readonly x: string;
}

/** 43 characters of base64url that are 32 bytes in the one way to write them. */
export const KEY_X = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * The points of small order, and their other spellings (RFC 8032 allows none; libraries take some), without the sign. Anybody
 * makes signatures that verify under them, so what they signed would be evidence of nothing.
 */
const SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Takes a member of a key set: other members than the three that matter are left out. */
export function parseSigningKey(jwk: unknown): SigningJwk | 'private' | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const { crv, d, kty, x } = jwk as Record<string, unknown>;
  if (d !== undefined) return 'private';
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || !KEY_X.test(x)) return undefined;
  return isOfSmallOrder(x) ? undefined : { kty, crv, x };
}

/** How the key is named: its thumbprint (RFC 7638), SHA-256, base64url. */
export function keyIdOf({ crv, kty, x }: SigningJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

function isOfSmallOrder(x: string): boolean {
  const bytes = Buffer.from(x, 'base64url');
  bytes[31]! &= 0x7f;
  return SMALL_ORDER.has(bytes.toString('hex'));
}
