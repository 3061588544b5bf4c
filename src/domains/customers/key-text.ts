import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * What an owner holds: a prefix that says what for, 24 random bytes, and the first 6 bytes of a MAC over them, in base64url.
 * Without our secret nobody makes one that we would look for in the database. There is only a keyed digest of it at rest.
 */
const KEY = /^(tb[kfi]_)([A-Za-z0-9_-]{32})([A-Za-z0-9_-]{8})$/;
const RANDOM_BYTES = 24;
const CHECK_LENGTH = 8;

export interface NewKey {
  /** Public: `key_` and 16 hex digits. */
  readonly id: string;
  /** Shown once. */
  readonly key: string;
  readonly digest: string;
}

/** Proves a customer. */
export const CUSTOMER_KEY = 'tbk_';
/** Opens the facilitator to a tenant's servers. */
export const FACILITATOR_KEY = 'tbf_';
/** Lets a tenant's servers send usage events. */
export const INGESTION_KEY = 'tbi_';
export type KeyPrefix = typeof CUSTOMER_KEY | typeof FACILITATOR_KEY | typeof INGESTION_KEY;

export function newKey(secret: Uint8Array, prefix: KeyPrefix = CUSTOMER_KEY): NewKey {
  const random = randomBytes(RANDOM_BYTES).toString('base64url');
  const key = `${prefix}${random}${checkOf(random, secret)}`;
  return { id: `key_${randomBytes(8).toString('hex')}`, key, digest: mac(`key\n${key}`, secret) };
}

/** By what the key is found; `undefined` for any text that we did not make. */
export function digestOf(key: string, secret: Uint8Array, prefix: KeyPrefix = CUSTOMER_KEY): string | undefined {
  const [, kind, random, check] = KEY.exec(key) ?? [];
  if (kind !== prefix || random === undefined || check === undefined) return undefined;
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
