import { LRUCache } from 'lru-cache';
import type { Address, Network } from '../../base/shared/hex.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import type { ReceiptSigner } from './receipt-signer.js';

/** What an offer promises, as in one entry of `accepts`. */
export interface OfferTerms {
  readonly resourceUrl: string;
  readonly scheme: string;
  readonly network: Network;
  readonly asset: Address;
  readonly payTo: Address;
  readonly amount: AtomicAmount;
  /** Expiry of the quote, epoch seconds. The signed one is the same or up to 30 s later. */
  readonly validUntil: number;
}

/** One entry of `info.offers` in the official offer-receipt extension. */
export interface SignedOffer {
  readonly format: 'jws';
  readonly acceptIndex: number;
  readonly signature: string;
}

const EXTENSION_VERSION = 1;
const GRID_SECONDS = 30;
const CACHE_MAX = 10_000;

/**
 * Signs offers rarely: expiries are rounded up to a grid, so all callers of a while who are asked the same get the same
 * signature. The offer may thus outlive the quote by up to 30 s; what is honoured is decided by the quote lock alone.
 */
export class OfferSigner {
  private readonly cache = new LRUCache<string, string>({ max: CACHE_MAX });

  constructor(private readonly signer: ReceiptSigner) {}

  signedOffer(terms: OfferTerms, acceptIndex = 0): SignedOffer {
    const validUntil = Math.ceil(terms.validUntil / GRID_SECONDS) * GRID_SECONDS;
    const { resourceUrl, scheme, network, asset, payTo } = terms;
    const amount = terms.amount.toString();
    // None of the parts can hold a blank: URLs are encoded, the others are identifiers.
    const key = `${resourceUrl} ${scheme} ${network} ${asset} ${payTo} ${amount} ${validUntil}`;
    let signature = this.cache.get(key);
    if (signature === undefined) {
      const version = EXTENSION_VERSION;
      signature = this.signer.sign({ version, resourceUrl, scheme, network, asset, payTo, amount, validUntil });
      this.cache.set(key, signature);
    }
    return { format: 'jws', acceptIndex, signature };
  }
}
