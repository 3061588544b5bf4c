import type { Address } from '../../base/shared/hex.js';

/** What a quote token says openly; the MAC beside it proves it. */
export interface QuoteClaims {
  /** 16 bytes. */
  readonly quoteId: Uint8Array;
  /** Epoch seconds, before the year 2106. */
  readonly expiresAt: number;
  readonly tariffVersion: number;
  /** Its beginning goes into the token. */
  readonly requestDigest: string;
  /** Who alone may pay, if it is said. Its beginning goes into the token. */
  readonly payer?: Address;
}

export interface QuoteToken {
  readonly keyId: string;
  /** Base64url of the 16 bytes. */
  readonly quoteId: string;
  readonly expiresAt: number;
  readonly tariffVersion: number;
  readonly digestPrefix: string;
  /** Of the payer that the quote is for; absent if anybody may pay. */
  readonly payerPrefix?: string;
  /** Id of the tariff; its version is a claim. */
  readonly tariff: string;
  /** The claims as encoded, and as the MAC covers them. */
  readonly claims: string;
  readonly mac: string;
}

export const QUOTE_KEY_ID = /^[A-Za-z0-9_-]{1,8}$/;

// Every field ends where a base64url character ends: no spare bits, so one token has one spelling, and the digests,
// which are base64url already, can be cut as text.
const ID_BYTES = 16;
const EXPIRY_AT = ID_BYTES;
const VERSION_AT = EXPIRY_AT + 4;
const HEAD_BYTES = VERSION_AT + 4;
/** Nine bytes tell requests apart well enough to name the reason of a refusal; the MAC covers the whole digest. */
const PREFIX_LENGTH = 12;
/** Enough to say whether a quote is for another payer; the MAC covers the whole address. */
const PAYER_PREFIX_LENGTH = 10;
const CLAIMS_LENGTH = (HEAD_BYTES / 3) * 4 + PREFIX_LENGTH;
/**
 * 18 of the 32 bytes of HMAC-SHA256, in base64url: more than the half that RFC 2104 section 5 advises. A guess succeeds
 * once in 2^144 and each costs a request; the shorter token leaves room in the 402 header.
 */
const MAC_LENGTH = 24;
const TOKEN = /^([A-Za-z0-9_-]{1,8})\.([A-Za-z0-9_-]{44}(?:~(0x[0-9a-f]{8}))?)([A-Za-z0-9_-]{24})\.([a-z0-9_-]{1,64})$/;

/** Throws for an id of another length, or a number that is no unsigned 32-bit integer. */
export function encodeClaims({ quoteId, expiresAt, tariffVersion, requestDigest, payer }: QuoteClaims): string {
  if (quoteId.byteLength !== ID_BYTES) throw new RangeError(`a quote id has ${ID_BYTES} bytes`);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.set(quoteId);
  head.writeUInt32BE(expiresAt, EXPIRY_AT);
  head.writeUInt32BE(tariffVersion, VERSION_AT);
  const claims = head.toString('base64url') + digestPrefix(requestDigest);
  if (claims.length !== CLAIMS_LENGTH) throw new RangeError('a request digest is a base64url SHA-256');
  return payer === undefined ? claims : `${claims}~${payerPrefix(payer)}`;
}

/** At most 153 characters. */
export function quoteToken(keyId: string, claims: string, mac: string, tariff: string): string {
  return `${keyId}.${claims}${mac}.${tariff}`;
}

/** `undefined` for anything that no `quoteToken` call returns. */
export function decodeQuoteToken(token: string): QuoteToken | undefined {
  const [, keyId, claims, payerPrefix, mac, tariff] = TOKEN.exec(token) ?? [];
  if (keyId === undefined || claims === undefined || mac === undefined || tariff === undefined) return undefined;
  const head = Buffer.from(claims.slice(0, CLAIMS_LENGTH - PREFIX_LENGTH), 'base64url');
  return {
    keyId,
    quoteId: head.toString('base64url', 0, ID_BYTES),
    expiresAt: head.readUInt32BE(EXPIRY_AT),
    tariffVersion: head.readUInt32BE(VERSION_AT),
    digestPrefix: claims.slice(CLAIMS_LENGTH - PREFIX_LENGTH, CLAIMS_LENGTH),
    payerPrefix,
    tariff,
    claims,
    mac,
  };
}

export function digestPrefix(requestDigest: string): string {
  return requestDigest.slice(0, PREFIX_LENGTH);
}

/** `0x` and the first four bytes. */
export function payerPrefix(payer: Address): string {
  return payer.slice(0, PAYER_PREFIX_LENGTH);
}

/** What of a base64url MAC goes into the token. */
export function truncateMac(mac: string): string {
  return mac.slice(0, MAC_LENGTH);
}
