import { randomFillSync } from 'node:crypto';
import type { Reason } from '../../base/x402/errors.js';
import { prefersHtml } from '../../base/x402/negotiation.js';
import { paymentIdentifierDeclaration } from '../../base/x402/payment-identifier.js';
import { type EncodedOffer, encodeOffer, type OfferInput } from '../../base/x402/payment-required.js';
import { paywallPage } from '../../base/x402/paywall.js';
import type { Catalogue } from '../../domains/pricing/catalogue.js';
import { type QuoteLock, quoteExpiry } from '../../domains/pricing/quote-lock.js';
import { price } from '../../domains/pricing/tariff.js';
import type { OfferSigner } from '../../domains/receipts/offers.js';
import type { PaidCall } from './paid-call.js';
import { quoteTermsOf } from './terms.js';

/** What a stranger is asked: computed from the request alone, nothing is read from or written to a store. */
export class OfferDesk {
  private readonly randomId = Buffer.alloc(16);

  constructor(
    private readonly quotes: QuoteLock,
    private readonly signer: OfferSigner,
  ) {}

  /** The 402 for this request now. @param now epoch milliseconds @param error why a payment was not taken */
  offer(call: PaidCall, catalogue: Catalogue, now: number, error?: Reason): EncodedOffer {
    const input = this.terms(call, catalogue, now, error);
    const offer = encodeOffer(input);
    if (!prefersHtml(call.message.headers.accept)) return offer;
    const token = { symbol: call.token.name, decimals: call.token.decimals };
    const page = paywallPage({ offer: input, tokens: [token], body: offer.body });
    return { headers: { ...offer.headers, ...page.headers }, body: page.body };
  }

  private terms(call: PaidCall, catalogue: Catalogue, now: number, error: Reason = 'payment_required'): OfferInput {
    const { resource, route, tenant, token } = call;
    const tariff = catalogue.tariffAt(route, now);
    if (!tariff) throw new Error(`route ${route.id} has no tariff in force`);
    const { amount } = price(tariff.tariff, call.priced);
    const lifetimeSeconds = route.maxTimeoutSeconds;
    const quote = this.quotes.issue(
      { ...quoteTermsOf(call), amount, tariffVersion: tariff.version, lifetimeSeconds },
      now,
      randomFillSync(this.randomId),
    );
    const { asset, network, payee: payTo } = tenant;
    const accept = { network, asset, amount, payTo, maxTimeoutSeconds: lifetimeSeconds };
    const signed = this.signer.signedOffer({
      resourceUrl: resource,
      scheme: 'exact',
      network,
      asset,
      payTo,
      amount,
      validUntil: quoteExpiry(now, lifetimeSeconds),
    });
    return {
      resource: { url: resource, description: route.description, mimeType: route.mimeType },
      accepts: [{ ...accept, extra: { name: token.name, version: token.version, quote } }],
      v1Amount: amount,
      extensions: { ...paymentIdentifierDeclaration, 'offer-receipt': { info: { offers: [{ ...signed }] } } },
      error,
    };
  }
}
