/** What a quote token says openly; the MAC beside it proves it. */
export interface QuoteClaims {
  /** 16 bytes. */
  readonly quoteId: Uint8Array;
  /** Epoch seconds, before the year 2106. */
  readonly expiresAt: number;
  readonly tariffVersion: number;
  /** The first bytes of this base64url digest go into the token. */
  readonly requestDigest: string;
}

export interface QuoteToken {
  readonly keyId: string;
  /** Base64url of the 16 bytes. */
  readonly quoteId: string;
  readonly expiresAt: number;
  readonly tariffVersion: number;
  readonly digestPrefix: Buffer;
  /** The claims as the MAC covers them. */
  readonly claims: Uint8Array;
  readonly mac: Buffer;
}

export const QUOTE_KEY_ID = /^[A-Za-z0-9_-]{1,8}$/;
/**
 * Half of SHA-256's output, the least that RFC 2104 section 5 advises: a guess succeeds once in 2^128, and each costs a
 * request. The shorter token leaves room in the 402 header.
 */
export const MAC_BYTES = 16;
/** Eight bytes tell requests apart well enough to name the reason of a refusal; the MAC covers the whole digest. */
const PREFIX_BYTES = 8;
const ID_BYTES = 16;
const EXPIRY_AT = ID_BYTES;
const VERSION_AT = EXPIRY_AT + 4;
const PREFIX_AT = VERSION_AT + 4;
const MAC_AT = PREFIX_AT + PREFIX_BYTES;
/** 48 bytes are 64 characters without a spare bit, so that a token has one spelling only. */
const TOKEN = /^([A-Za-z0-9_-]{1,8})\.([A-Za-z0-9_-]{64})$/;

/** Throws for an id of another length, or a number that is no unsigned 32-bit integer. */
export function encodeClaims({ quoteId, expiresAt, tariffVersion, requestDigest }: QuoteClaims): Buffer {
  if (quoteId.byteLength !== ID_BYTES) throw new RangeError(`a quote id has ${ID_BYTES} bytes`);
  const bytes = Buffer.alloc(MAC_AT);
  bytes.set(quoteId);
  bytes.writeUInt32BE(expiresAt, EXPIRY_AT);
  bytes.writeUInt32BE(tariffVersion, VERSION_AT);
  bytes.set(digestPrefix(requestDigest), PREFIX_AT);
  return bytes;
}

/** At most 73 characters. */
export function quoteToken(keyId: string, claims: Uint8Array, mac: Uint8Array): string {
  return `${keyId}.${Buffer.concat([claims, mac], MAC_AT + MAC_BYTES).toString('base64url')}`;
}

/** `undefined` for anything that no `quoteToken` call returns. */
export function decodeQuoteToken(token: string): QuoteToken | undefined {
  const [, keyId, text] = TOKEN.exec(token) ?? [];
  if (keyId === undefined || text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return {
    keyId,
    quoteId: bytes.toString('base64url', 0, ID_BYTES),
    expiresAt: bytes.readUInt32BE(EXPIRY_AT),
    tariffVersion: bytes.readUInt32BE(VERSION_AT),
    digestPrefix: bytes.subarray(PREFIX_AT, MAC_AT),
    claims: bytes.subarray(0, MAC_AT),
    mac: bytes.subarray(MAC_AT),
  };
}

export function digestPrefix(requestDigest: string): Buffer {
  return Buffer.from(requestDigest, 'base64url').subarray(0, PREFIX_BYTES);
}
