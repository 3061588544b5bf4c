import { epochSeconds } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import { parseAtomic } from '../../base/shared/money.js';
import type { Reason } from '../../base/x402/errors.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import type { Catalogue, TariffVersion } from '../../domains/pricing/catalogue.js';
import { leastTimeoutSeconds } from '../../domains/pricing/catalogue.schemas.js';
import { listPrice, listPriceInstants } from '../../domains/pricing/list-price.js';
import type { QuoteLock, QuoteTerms } from '../../domains/pricing/quote-lock.js';
import { type Circumstances, pricedRequest } from '../../domains/pricing/request/priced-request.js';
import { USED_UNKNOWN } from '../../domains/pricing/request/recorded-request.js';
import { seenBy } from '../../domains/pricing/seen.js';
import { type Price, price } from '../../domains/pricing/tariff.js';
import type { Tariff } from '../../domains/pricing/tariff.schemas.js';
import type { PaidCall } from './paid-call.js';

/** Longest validity that is taken, in seconds: an answer is kept as long as its authorization lasts. */
export const VALIDITY_MAX_SECONDS = 86_400;

/** What was agreed, all of it from our own offer, none of it from the client's echo. */
export interface AgreedTerms {
  readonly tariff: { readonly id: string; readonly version: number };
  readonly units: bigint;
  /** What the units are, if the tariff says so. */
  readonly meter?: string;
  readonly class?: string;
  /** What the price looked at, and under which circumstances it was asked. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly quote?: string;
  /** Last second, since the epoch, in which the quote is honoured. */
  readonly quoteExpiresAt?: number;
}

export type TermsVerdict = ({ readonly ok: true } & AgreedTerms) | { readonly ok: false; readonly reason: Reason };

/** Another gateway has asked this price, by a publication that this one has not read yet: proven, so reading it is no waste. */
export type Behind = { readonly ok: false; readonly reason: 'catalogue_behind' };

/** Under which a price is asked: time in whole seconds, as a quote keeps it, and the payer's usage if it is known whose. */
export interface Asked extends Omit<Circumstances, 'urgency' | 'used'> {
  readonly used?: bigint;
}

/** What the price of a request is under these circumstances; the list price if they do not say who pays. */
export function priceOf(call: PaidCall, tariff: Tariff, asked: Asked): Price {
  const { at, load, used } = asked;
  const circumstances = { urgency: call.urgency, at, load, used: used ?? 0n, class: asked.class };
  const request = pricedRequest(circumstances, call.messages);
  return used === undefined ? listPrice(tariff, request) : price(tariff, request);
}

/**
 * Pure: is this payment for this request, at a price that we asked? Version 2 proves it by the quote that it echoes;
 * version 1 echoes nothing and pays the list price of any tariff version in force within the offer's lifetime.
 * @param now epoch milliseconds
 */
export function checkTerms(
  call: PaidCall,
  payment: DecodedPayment,
  catalogue: Catalogue,
  quotes: QuoteLock,
  now: number,
): TermsVerdict | Behind {
  const { authorization } = payment;
  const network = payment.x402Version === 2 ? payment.accepted.network : payment.network;
  if (network !== call.tenant.network) return refused('invalid_network');
  if (authorization.to !== call.tenant.payee) return refused('invalid_exact_evm_payload_recipient_mismatch');
  const agreed =
    payment.x402Version === 2 ? quoted(call, payment, catalogue, quotes, now) : listed(call, payment, catalogue, now);
  return agreed.ok ? (windowOf(call, payment, now) ?? agreed) : agreed;
}

function quoted(
  call: PaidCall,
  { accepted, authorization }: Extract<DecodedPayment, { x402Version: 2 }>,
  catalogue: Catalogue,
  quotes: QuoteLock,
  now: number,
): TermsVerdict | Behind {
  const { route, tenant } = call;
  const { amount, asset, maxTimeoutSeconds, payTo } = accepted;
  if (asset !== tenant.asset || payTo !== tenant.payee || maxTimeoutSeconds !== route.maxTimeoutSeconds) {
    return refused('invalid_payment_requirements');
  }
  const agreed = quotedPrice(call, accepted, authorization.from, catalogue, quotes, now);
  if (agreed.ok && authorization.value !== amount) {
    return refused('invalid_exact_evm_payload_authorization_value_mismatch');
  }
  return agreed;
}

/** What a quote proves that we asked, under the circumstances that the client echoes with it. @param payer who pays now */
export function quotedPrice(
  call: PaidCall,
  { amount, extra }: { readonly amount: bigint; readonly extra: Readonly<Record<string, unknown>> },
  payer: Address | undefined,
  catalogue: Catalogue,
  quotes: QuoteLock,
  now: number,
):
  | ({ readonly ok: true; readonly asked: Asked } & AgreedTerms)
  | { readonly ok: false; readonly reason: Reason }
  | Behind {
  const { route, tenant } = call;
  const token = extra.quote;
  if (typeof token !== 'string') return refused('quote_missing');
  const echoed = { amount, class: textOf(extra.class), seen: textOf(extra.seen) };
  const terms = quoteTermsOf(call, echoed, payer);
  const verdict = quotes.check(token, terms, now);
  if (!verdict.ok) return refused(verdict.reason);
  const { expiresAt, quoteId, tariff, tariffVersion } = verdict;
  const version = catalogue.tariffVersion({ tenant: tenant.id, tariff }, tariffVersion);
  if (!version) return { ok: false, reason: 'catalogue_behind' };
  // The amount is the one that was asked; the same circumstances give the same inputs, or it is another request.
  const asked = askedBy(extra, (expiresAt - route.maxTimeoutSeconds) * 1000);
  const priced = priceOf(call, version.tariff, asked);
  if (priced.class !== terms.class || seenBy(priced.inputs) !== terms.seen) return refused('quote_invalid');
  return { ...agreedOn(call, version, priced, asked), asked, quote: quoteId, quoteExpiresAt: expiresAt };
}

/** The circumstances that the client echoes, which the quote's MAC covers. @param at when the quote was asked, epoch milliseconds */
function askedBy(extra: Readonly<Record<string, unknown>>, at: number): Asked {
  const load = Number(parseAtomic(extra.load) ?? 0n);
  return {
    at,
    load: Number.isSafeInteger(load) ? load : 0,
    used: parseAtomic(extra.used),
    class: textOf(extra.class),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function listed(call: PaidCall, payment: DecodedPayment, catalogue: Catalogue, now: number): TermsVerdict {
  const { route } = call;
  const agreed = listedUnder(call, payment, catalogue, route.tariff, now);
  if (agreed.ok) return agreed;
  // The route may have been moved to another tariff while the offer was out.
  for (const { tariff, until } of catalogue.formerTariffs(route)) {
    const earlier = listedUnder(call, payment, catalogue, tariff, Math.min(until, now), now);
    if (earlier.ok) return earlier;
  }
  return agreed;
}

/** @param until when the route named this tariff last */
function listedUnder(
  call: PaidCall,
  payment: DecodedPayment,
  catalogue: Catalogue,
  tariff: string,
  until: number,
  now = until,
): TermsVerdict {
  const { route } = call;
  const from = now - route.maxTimeoutSeconds * 1000;
  const versions = catalogue.tariffsInForceWithin({ tenant: route.tenant, tariff }, from, until);
  for (let index = versions.length - 1; index >= 0; index--) {
    const version = versions[index]!;
    const end = versions[index + 1]?.effectiveFrom ?? until + 1;
    for (const at of listPriceInstants(version.tariff, Math.max(from, version.effectiveFrom), end - 1)) {
      const asked = { at, load: 0 };
      const priced = priceOf(call, version.tariff, asked);
      if (priced.amount === payment.authorization.value) return agreedOn(call, version, priced, asked);
    }
  }
  return refused('price_not_in_force');
}

function agreedOn(
  call: PaidCall,
  { id, tariff, version }: TariffVersion,
  priced: Price,
  asked: Asked,
): { readonly ok: true } & AgreedTerms {
  return {
    ok: true,
    units: priced.units,
    meter: tariff.meter,
    tariff: { id, version },
    class: priced.class,
    inputs: inputsOf(call, priced, asked),
  };
}

/** What is recorded of a request, so that other tariffs can price it. */
export function inputsOf({ messages }: PaidCall, priced: Price, { at, load, used }: Asked): Price['inputs'] {
  const circumstances = { at: `${at}`, load: `${load}`, request_bytes: `${messages.request.bytes}` };
  return { ...circumstances, ...priced.inputs, used: used === undefined ? USED_UNKNOWN : `${used}` };
}

function windowOf(call: PaidCall, { authorization }: DecodedPayment, now: number): TermsVerdict | undefined {
  const seconds = BigInt(epochSeconds(now));
  if (authorization.validAfter > seconds) return refused('invalid_exact_evm_payload_authorization_valid_after');
  const least = BigInt(leastTimeoutSeconds(call.route.timeoutMs));
  const left = authorization.validBefore - seconds;
  if (left < least || left > VALIDITY_MAX_SECONDS)
    return refused('invalid_exact_evm_payload_authorization_valid_before');
  return undefined;
}

/**
 * Until when the same payment would be taken for its request, in epoch milliseconds: what the authorization leaves by then is
 * needed for the request itself, and its quote stands as long. @param agreed absent for a payment that was taken before
 */
export function presentableUntil({ route }: PaidCall, { authorization }: DecodedPayment, agreed?: AgreedTerms): number {
  const lapses = Number(authorization.validBefore) - leastTimeoutSeconds(route.timeoutMs);
  return Math.min(lapses, agreed?.quoteExpiresAt ?? lapses) * 1000;
}

/** What a quote is locked to. @param payer who is named when it is issued, who pays when it is checked */
export function quoteTermsOf(
  call: PaidCall,
  priced: Pick<QuoteTerms, 'amount' | 'class' | 'seen'>,
  payer: Address | undefined,
): QuoteTerms {
  const { digest, method, route, tenant, urgency } = call;
  return {
    tenant: tenant.id,
    route: route.id,
    method,
    requestDigest: digest,
    urgency,
    amount: priced.amount,
    asset: tenant.asset,
    network: tenant.network,
    payee: tenant.payee,
    payer,
    class: priced.class,
    seen: priced.seen,
  };
}

function refused(reason: Reason): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}
