import { LRUCache } from 'lru-cache';
import { epochSeconds } from '../../base/shared/clock.js';
import type { JsonObject } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';
import { httpMessageSignatures } from '../../base/x402/commitment-offer.js';
import type { Reason } from '../../base/x402/errors.js';
import { prefersHtml } from '../../base/x402/negotiation.js';
import { headerBytes, OFFER_HEADER_BYTES_MAX } from '../../base/x402/offer-limits.js';
import { paymentIdentifierDeclaration } from '../../base/x402/payment-identifier.js';
import {
  compileOffer,
  type EncodedOffer,
  type OfferInput,
  type OfferTemplate,
} from '../../base/x402/payment-required.js';
import { paywallPage } from '../../base/x402/paywall.js';
import type { AccountBook } from '../../domains/customers/account-book.js';
import type { Catalogue, TariffVersion } from '../../domains/pricing/catalogue.js';
import type { Route } from '../../domains/pricing/catalogue.schemas.js';
import type { CircumstancesPort } from '../../domains/pricing/circumstances.port.js';
import { offeredClasses, type ServiceClasses } from '../../domains/pricing/modifiers/service-class.js';
import { type QuoteLock, quoteExpiry } from '../../domains/pricing/quote-lock.js';
import { pricedRequest } from '../../domains/pricing/request/priced-request.js';
import { seenBy } from '../../domains/pricing/seen.js';
import type { Price } from '../../domains/pricing/tariff.js';
import type { OfferSigner, SignedOffer } from '../../domains/receipts/offers.js';
import type { Caller } from './caller.js';
import { CURRENCY, sellsLater } from './commit-terms.js';
import type { PaidCall } from './paid-call.js';
import { RandomIds } from './random-ids.js';
import { tariffFor } from './tariff-for.js';
import { type Asked, priceOf, quoteTermsOf } from './terms.js';

/** Encoded parts kept per route, one for each combination of signed offers in use. */
const TEMPLATES_MAX = 1_000;

/** Reasons for which paying later is no way out. */
const INSTANT_ONLY: ReadonlySet<Reason> = new Set<Reason>([
  'account_suspended',
  'commitment_not_offered',
  'credit_line_reached',
]);

/** One way to pay: what is asked, and the proof that we asked it. */
interface Ask {
  readonly amount: bigint;
  readonly quote: string;
  /** What else the client has to echo. */
  readonly echo?: JsonObject;
  readonly signed: SignedOffer;
}

/** What a caller is asked: computed from the request alone, nothing is read from or written to a store. */
export class OfferDesk {
  private readonly ids = new RandomIds();
  /** By route object, so that a newly published route starts afresh, then by the signed offers, which name all terms. */
  private readonly templates = new WeakMap<Route, LRUCache<string, OfferTemplate>>();

  constructor(
    private readonly quotes: QuoteLock,
    private readonly signer: OfferSigner,
    private readonly circumstances: CircumstancesPort,
    private readonly accounts: Pick<AccountBook, 'hasAccounts'>,
  ) {}

  /** The 402 for this request now. @param caller who is named @param now epoch milliseconds @param error why a payment was not taken */
  offer(
    call: PaidCall,
    caller: Caller | undefined,
    catalogue: Catalogue,
    now: number,
    error: Reason = 'payment_required',
  ): EncodedOffer {
    const { route, tenant } = call;
    const tariff = tariffFor(call, caller, catalogue, this.circumstances, now);
    if (!tariff) throw new Problem('route_not_found', 'This route has no price yet: its tariff begins later');
    const used = caller && this.circumstances.usedBy(tenant.id, caller.payer, tariff);
    const asked = { at: epochSeconds(now) * 1000, load: this.circumstances.load(route), used };
    const prices = pricesOf(call, tariff, asked);
    const asks = prices.map((priced, index) => this.ask(call, caller, tariff, priced, asked, index, now));
    // Version 1 cannot say which circumstances it was asked under, so it pays the price without them.
    const listed = catalogue.tariffAt(route, now) ?? tariff;
    const anyPayer = used === undefined || tariff.tariff.period === undefined;
    const plain = asked.load === 0 && anyPayer && listed === tariff;
    const list = plain ? prices[0]! : priceOf(call, listed.tariff, { at: asked.at, load: 0 });
    const later = sellsLater(call, this.accounts) && !INSTANT_ONLY.has(error);
    const { fitting, offer } = this.encode(call, asks, later, list.amount, error);
    return prefersHtml(call.message.headers.accept) ? page(call, fitting, later, list.amount, offer, error) : offer;
  }

  /** As many ways to pay as fit into the reply's headers, from the first on. @throws Problem `path_too_long` if not one does */
  private encode(call: PaidCall, asks: readonly Ask[], later: boolean, v1Amount: bigint, error: Reason) {
    let fitting = asks;
    let offer = this.templateFor(call, fitting, later)({ accepts: fitting, v1Amount, error });
    while (fitting.length > 1 && headerBytes(offer.headers) > OFFER_HEADER_BYTES_MAX) {
      fitting = fitting.slice(0, -1);
      offer = this.templateFor(call, fitting, later)({ accepts: fitting, v1Amount, error });
    }
    if (headerBytes(offer.headers) > OFFER_HEADER_BYTES_MAX) throw new Problem('path_too_long');
    return { fitting, offer };
  }

  private ask(
    call: PaidCall,
    caller: Caller | undefined,
    { id: tariff, version }: TariffVersion,
    priced: Price,
    asked: Asked,
    index: number,
    now: number,
  ): Ask {
    const validity = { tariff, tariffVersion: version, lifetimeSeconds: call.route.maxTimeoutSeconds };
    const seen = seenBy(priced.inputs);
    const terms = quoteTermsOf(call, { amount: priced.amount, class: priced.class, seen }, caller?.payer);
    const quote = this.quotes.issue(terms, validity, now, this.ids.next());
    return {
      amount: priced.amount,
      quote,
      echo: echoOf(priced, asked, seen),
      signed: this.sign(call, priced, index, now),
    };
  }

  private sign({ resource, route, tenant }: PaidCall, { amount }: Price, index: number, now: number): SignedOffer {
    const { asset, network, payee: payTo } = tenant;
    const validUntil = quoteExpiry(now, route.maxTimeoutSeconds);
    const terms = { resourceUrl: resource, scheme: 'exact', network, asset, payTo, amount, validUntil };
    return this.signer.signedOffer(terms, index);
  }

  private templateFor(call: PaidCall, asks: readonly Ask[], later: boolean): OfferTemplate {
    let ofRoute = this.templates.get(call.route);
    if (!ofRoute) {
      ofRoute = new LRUCache({ max: TEMPLATES_MAX });
      this.templates.set(call.route, ofRoute);
    }
    const signed = asks.length === 1 ? asks[0]!.signed.signature : asks.map((ask) => ask.signed.signature).join(' ');
    const key = later ? `later ${signed}` : signed;
    let template = ofRoute.get(key);
    if (!template) {
      template = compileOffer(offerInput(call, asks.map(withoutEcho), later, 0n));
      ofRoute.set(key, template);
    }
    return template;
  }
}

/** What is in no template, because it differs from one 402 to the next. */
function withoutEcho({ amount, quote, signed }: Ask): Ask {
  return { amount, quote, signed };
}

/** The price of each class that can be bought, the first one for clients that take what comes first. */
function pricesOf(call: PaidCall, { tariff }: TariffVersion, asked: Asked): readonly Price[] {
  const rules = tariff.modifiers.find((modifier): modifier is ServiceClasses => modifier.kind === 'class');
  if (!rules) return [priceOf(call, tariff, asked)];
  const request = pricedRequest({ urgency: call.urgency, ...asked, used: asked.used ?? 0n }, call.messages);
  return offeredClasses(rules, request).map(({ id }) => priceOf(call, tariff, { ...asked, class: id }));
}

/** What a price was asked under, where it matters to this one. */
function echoOf(
  { class: chosen, inputs }: Price,
  { load, used }: Asked,
  seen: string | undefined,
): JsonObject | undefined {
  if (chosen === undefined && seen === undefined) return undefined;
  return {
    ...(seen === undefined ? {} : { seen }),
    ...(chosen === undefined ? {} : { class: chosen }),
    ...(inputs.load === undefined ? {} : { load: `${load}` }),
    ...(inputs.used === undefined || used === undefined ? {} : { used: `${used}` }),
  };
}

function offerInput(
  call: PaidCall,
  asks: readonly Ask[],
  later: boolean,
  v1Amount: bigint,
  error?: Reason,
): OfferInput {
  const { resource: url, route, tenant, token } = call;
  const { asset, network, payee: payTo } = tenant;
  const { description, maxTimeoutSeconds, mimeType } = route;
  const accepts = asks.map(({ amount, echo, quote }) => {
    const extra = { name: token.name, version: token.version, quote, ...echo };
    return { network, asset, amount, payTo, maxTimeoutSeconds, extra };
  });
  const offers = asks.map(({ signed }) => ({ ...signed }));
  return {
    resource: { url, description, mimeType },
    accepts,
    v1Amount,
    ...(later
      ? { commitment: { currency: CURRENCY, decimals: token.decimals, payTo: tenant.id, maxTimeoutSeconds } }
      : {}),
    extensions: {
      ...paymentIdentifierDeclaration,
      ...(later ? httpMessageSignatures : {}),
      'offer-receipt': { info: { offers } },
    },
    error,
  };
}

/** The same offer for people: its headers still let a program pay. */
function page(
  call: PaidCall,
  asks: readonly Ask[],
  later: boolean,
  v1Amount: bigint,
  { body, headers }: EncodedOffer,
  error: Reason,
): EncodedOffer {
  const { decimals, name: symbol } = call.token;
  const html = paywallPage({
    request: { method: call.method, url: call.resource + call.query },
    offer: offerInput(call, asks, later, v1Amount, error),
    tokens: asks.map(() => ({ symbol, decimals })),
    body,
  });
  return { headers: { ...headers, ...html.headers }, body: html.body };
}
