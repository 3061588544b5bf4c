import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * What a customer holds: `tbk_`, 24 random bytes, and the first 6 bytes of a MAC over them, in base64url. Without our secret
 * nobody makes one that we would look for in the database. There is only a keyed digest of it at rest.
 */
const KEY = /^tbk_([A-Za-z0-9_-]{32})([A-Za-z0-9_-]{8})$/;
const RANDOM_BYTES = 24;
const CHECK_LENGTH = 8;

export interface NewKey {
  /** Public: `key_` and 16 hex digits. */
  readonly id: string;
  /** Shown once. */
  readonly key: string;
  readonly digest: string;
}

export function newKey(secret: Uint8Array): NewKey {
  const random = randomBytes(RANDOM_BYTES).toString('base64url');
  const key = `tbk_${random}${checkOf(random, secret)}`;
  return { id: `key_${randomBytes(8).toString('hex')}`, key, digest: mac(`key\n${key}`, secret) };
}

/** By what the key is found; `undefined` for any text that we did not make. */
export function digestOf(key: string, secret: Uint8Array): string | undefined {
  const [, random, check] = KEY.exec(key) ?? [];
  if (random === undefined || check === undefined) return undefined;
  // Both are ASCII of one length.
  if (!timingSafeEqual(Buffer.from(check, 'latin1'), Buffer.from(checkOf(random, secret), 'latin1'))) return undefined;
  return mac(`key\n${key}`, secret);
}

function checkOf(random: string, secret: Uint8Array): string {
  return mac(`check\n${random}`, secret).slice(0, CHECK_LENGTH);
}

function mac(text: string, secret: Uint8Array): string {
  return createHmac('sha256', secret).update(text).digest('base64url');
}
