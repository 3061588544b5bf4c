import { timingSafeEqual } from 'node:crypto';
import { epochSeconds } from '../../base/shared/clock.js';
import type { Address, Network } from '../../base/shared/hex.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import { HmacKey } from './hmac-key.js';
import {
  decodeQuoteToken,
  digestPrefix,
  encodeClaims,
  payerPrefix,
  QUOTE_KEY_ID,
  quoteToken,
  truncateMac,
} from './quote-token.js';

export interface QuoteKey {
  /** 1 to 8 letters, digits, - or _; public. */
  readonly id: string;
  /** At least 32 bytes, known to the gateways only. */
  readonly secret: Uint8Array;
}

/** Everything a quote promises and binds. */
export interface QuoteTerms {
  readonly tenant: string;
  readonly route: string;
  readonly method: string;
  /** From `requestDigest`. */
  readonly requestDigest: string;
  /** The digest leaves the `Priority` field out, yet prices may depend on it: a cheap urgency must not buy a dear one. */
  readonly urgency: number;
  readonly amount: AtomicAmount;
  readonly asset: Address;
  readonly network: Network;
  readonly payee: Address;
  /** Issued without: anybody may pay. Checked with: who pays now. */
  readonly payer?: Address;
  /** The class of service that is offered, if the tariff has classes. */
  readonly class?: string;
  /** What the price looked at beside the request that the digest covers, see `seenBy`; absent if it was nothing. */
  readonly seen?: string;
}

export interface QuoteValidity {
  /** Id of the tariff. It travels in the token with its version, since the route may name another one when it is paid. */
  readonly tariff: string;
  readonly tariffVersion: number;
  /** How long the price stands, in seconds; usually the route's `maxTimeoutSeconds`. */
  readonly lifetimeSeconds: number;
}

export type QuoteRefusal = 'quote_invalid' | 'quote_expired' | 'quote_for_another_request' | 'quote_for_another_payer';

export type QuoteVerdict =
  | {
      readonly ok: true;
      readonly quoteId: string;
      readonly tariff: string;
      readonly tariffVersion: number;
      /** Epoch seconds. */
      readonly expiresAt: number;
    }
  | { readonly ok: false; readonly reason: QuoteRefusal };

const SECRET_BYTES_MIN = 32;

/** Last second, since the epoch, in which a quote of this moment is honoured. */
export function quoteExpiry(now: number, lifetimeSeconds: number): number {
  return epochSeconds(now) + lifetimeSeconds;
}

/**
 * Locks prices without storing them: the token proves that we asked this price for this request. The newest key signs,
 * all keys are honoured, so a key can be replaced while its quotes are out.
 */
export class QuoteLock {
  private readonly keys: ReadonlyMap<string, Key>;
  private readonly newest: Key;

  /** Newest key first. Throws if there is none, or one is too short or badly named. */
  constructor(keys: readonly QuoteKey[]) {
    this.keys = new Map(keys.map((key) => [key.id, importKey(key)]));
    const first = keys[0];
    if (first === undefined || this.keys.size !== keys.length)
      throw new Error('quote keys: one at least, each id once');
    this.newest = importKey(first);
  }

  /** `now` in milliseconds; `randomId` 16 bytes that no other quote has. At most 153 characters. */
  issue(terms: QuoteTerms, validity: QuoteValidity, now: number, randomId: Uint8Array): string {
    const claims = encodeClaims({
      quoteId: randomId,
      expiresAt: quoteExpiry(now, validity.lifetimeSeconds),
      tariffVersion: validity.tariffVersion,
      requestDigest: terms.requestDigest,
      payer: terms.payer,
    });
    const { tariff } = validity;
    return quoteToken(this.newest.id, claims, mac(this.newest, claims, terms, terms.payer, tariff), tariff);
  }

  /** The terms are those of the request and the payment at hand; a token proves them or is refused. `now` in milliseconds. */
  check(token: string, terms: QuoteTerms, now: number): QuoteVerdict {
    const quote = decodeQuoteToken(token);
    const key = quote && this.keys.get(quote.keyId);
    if (quote === undefined || key === undefined) return { ok: false, reason: 'quote_invalid' };
    // The prefixes are no proof, only the better reason: the MAC covers all of what they begin.
    if (quote.digestPrefix !== digestPrefix(terms.requestDigest))
      return { ok: false, reason: 'quote_for_another_request' };
    const payer = quote.payerPrefix === undefined ? undefined : terms.payer;
    if (quote.payerPrefix !== (payer && payerPrefix(payer))) return { ok: false, reason: 'quote_for_another_payer' };
    if (!equalMacs(quote.mac, mac(key, quote.claims, terms, payer, quote.tariff)))
      return { ok: false, reason: 'quote_invalid' };
    if (epochSeconds(now) > quote.expiresAt) return { ok: false, reason: 'quote_expired' };
    const { expiresAt, quoteId, tariff, tariffVersion } = quote;
    return { ok: true, quoteId, tariff, tariffVersion, expiresAt };
  }
}

interface Key {
  readonly id: string;
  readonly hmac: HmacKey;
}

function importKey({ id, secret }: QuoteKey): Key {
  if (!QUOTE_KEY_ID.test(id)) throw new Error('quote key id: 1 to 8 letters, digits, - or _');
  if (secret.byteLength < SECRET_BYTES_MIN) throw new Error(`quote key ${id}: at least ${SECRET_BYTES_MIN} bytes`);
  return { id, hmac: new HmacKey(secret) };
}

function mac(key: Key, claims: string, terms: QuoteTerms, payer: Address | undefined, tariff: string): string {
  const text = part(key.id) + part(claims) + canonical(terms, payer) + part(tariff);
  return truncateMac(key.hmac.digest(text));
}

/** In a time that does not tell how far they agree. Both are ASCII of one length. */
function equalMacs(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}

/** Each part carries its length, and an absent one has a mark no length has: two terms never share an encoding. */
function canonical(terms: QuoteTerms, payer: Address | undefined): string {
  const { tenant, route, method, requestDigest, urgency, asset, network, payee } = terms;
  const amount = terms.amount.toString();
  const request = part(tenant) + part(route) + part(method) + part(requestDigest) + part(`${urgency}`);
  const money = part(amount) + part(asset) + part(network) + part(payee);
  return request + money + optional(payer) + optional(terms.class) + optional(terms.seen);
}

function optional(text: string | undefined): string {
  return text === undefined ? '-' : part(text);
}

function part(text: string): string {
  return `${text.length}:${text}`;
}
