import { LRUCache } from 'lru-cache';
import { Problem } from '../../base/shared/problem.js';
import type { Reason } from '../../base/x402/errors.js';
import { prefersHtml } from '../../base/x402/negotiation.js';
import { paymentIdentifierDeclaration } from '../../base/x402/payment-identifier.js';
import {
  compileOffer,
  type EncodedOffer,
  type OfferInput,
  type OfferTemplate,
} from '../../base/x402/payment-required.js';
import { paywallPage } from '../../base/x402/paywall.js';
import type { Catalogue } from '../../domains/pricing/catalogue.js';
import type { Route } from '../../domains/pricing/catalogue.schemas.js';
import { type QuoteLock, quoteExpiry } from '../../domains/pricing/quote-lock.js';
import { price } from '../../domains/pricing/tariff.js';
import type { OfferSigner, SignedOffer } from '../../domains/receipts/offers.js';
import type { Caller } from './caller.js';
import type { PaidCall } from './paid-call.js';
import { RandomIds } from './random-ids.js';
import { quoteTermsOf } from './terms.js';

/** Encoded parts kept per route, one for each signed offer in use. */
const TEMPLATES_MAX = 1_000;

/** What a caller is asked: computed from the request alone, nothing is read from or written to a store. */
export class OfferDesk {
  private readonly ids = new RandomIds();
  /** By route object, so that a newly published route starts afresh, then by the signed offer, which names all terms. */
  private readonly templates = new WeakMap<Route, LRUCache<string, OfferTemplate>>();

  constructor(
    private readonly quotes: QuoteLock,
    private readonly signer: OfferSigner,
  ) {}

  /** The 402 for this request now. @param caller who is named @param now epoch milliseconds @param error why a payment was not taken */
  offer(
    call: PaidCall,
    caller: Caller | undefined,
    catalogue: Catalogue,
    now: number,
    error: Reason = 'payment_required',
  ): EncodedOffer {
    const { route } = call;
    const tariff = catalogue.tariffAt(route, now);
    if (!tariff) throw new Problem('route_not_found', 'This route has no price yet: its tariff begins later');
    const { amount } = price(tariff.tariff, call.priced);
    const validity = {
      tariff: tariff.id,
      tariffVersion: tariff.version,
      lifetimeSeconds: route.maxTimeoutSeconds,
    };
    const quote = this.quotes.issue(quoteTermsOf(call, amount, caller?.payer), validity, now, this.ids.next());
    const signed = this.sign(call, amount, now);
    const offer = this.templateFor(call, signed)({ accepts: [{ amount, quote }], v1Amount: amount, error });
    return prefersHtml(call.message.headers.accept) ? page(call, signed, amount, quote, offer, error) : offer;
  }

  private sign({ resource, route, tenant }: PaidCall, amount: bigint, now: number): SignedOffer {
    const { asset, network, payee: payTo } = tenant;
    const validUntil = quoteExpiry(now, route.maxTimeoutSeconds);
    return this.signer.signedOffer({
      resourceUrl: resource,
      scheme: 'exact',
      network,
      asset,
      payTo,
      amount,
      validUntil,
    });
  }

  private templateFor(call: PaidCall, signed: SignedOffer): OfferTemplate {
    let ofRoute = this.templates.get(call.route);
    if (!ofRoute) {
      ofRoute = new LRUCache({ max: TEMPLATES_MAX });
      this.templates.set(call.route, ofRoute);
    }
    let template = ofRoute.get(signed.signature);
    if (!template) {
      template = compileOffer(offerInput(call, signed, 0n, ''));
      ofRoute.set(signed.signature, template);
    }
    return template;
  }
}

function offerInput(call: PaidCall, signed: SignedOffer, amount: bigint, quote: string, error?: Reason): OfferInput {
  const { resource: url, route, tenant, token } = call;
  const { asset, network, payee: payTo } = tenant;
  const { description, maxTimeoutSeconds, mimeType } = route;
  const extra = { name: token.name, version: token.version, quote };
  return {
    resource: { url, description, mimeType },
    accepts: [{ network, asset, amount, payTo, maxTimeoutSeconds, extra }],
    v1Amount: amount,
    extensions: { ...paymentIdentifierDeclaration, 'offer-receipt': { info: { offers: [{ ...signed }] } } },
    error,
  };
}

/** The same offer for people: its headers still let a program pay. */
function page(
  call: PaidCall,
  signed: SignedOffer,
  amount: bigint,
  quote: string,
  { body, headers }: EncodedOffer,
  error: Reason,
): EncodedOffer {
  const { decimals, name: symbol } = call.token;
  const html = paywallPage({
    offer: offerInput(call, signed, amount, quote, error),
    tokens: [{ symbol, decimals }],
    body,
  });
  return { headers: { ...headers, ...html.headers }, body: html.body };
}
