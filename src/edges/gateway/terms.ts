import type { Address } from '../../base/shared/hex.js';
import type { Reason } from '../../base/x402/errors.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import type { Catalogue } from '../../domains/pricing/catalogue.js';
import { leastTimeoutSeconds } from '../../domains/pricing/catalogue.schemas.js';
import type { QuoteLock, QuoteTerms } from '../../domains/pricing/quote-lock.js';
import { price } from '../../domains/pricing/tariff.js';
import type { PaidCall } from './paid-call.js';

/** Longest validity that is taken, in seconds: an answer is kept as long as its authorization lasts. */
export const VALIDITY_MAX_SECONDS = 86_400;

/** What was agreed, all of it from our own offer, none of it from the client's echo. */
export interface AgreedTerms {
  readonly tariff: { readonly id: string; readonly version: number };
  readonly units: bigint;
  readonly quote?: string;
}

export type TermsVerdict = ({ readonly ok: true } & AgreedTerms) | { readonly ok: false; readonly reason: Reason };

/** Another gateway has asked this price, by a publication that this one has not read yet: proven, so reading it is no waste. */
type Behind = { readonly ok: false; readonly reason: 'catalogue_behind' };

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
  const { amount, asset, extra, maxTimeoutSeconds, payTo } = accepted;
  if (asset !== tenant.asset || payTo !== tenant.payee || maxTimeoutSeconds !== route.maxTimeoutSeconds) {
    return refused('invalid_payment_requirements');
  }
  const token = extra?.quote;
  if (typeof token !== 'string') return refused('quote_missing');
  const verdict = quotes.check(token, quoteTermsOf(call, amount, authorization.from), now);
  if (!verdict.ok) return refused(verdict.reason);
  if (authorization.value !== amount) return refused('invalid_exact_evm_payload_authorization_value_mismatch');
  const { quoteId, tariff, tariffVersion } = verdict;
  const version = catalogue.tariffVersion({ tenant: tenant.id, tariff }, tariffVersion);
  if (!version) return { ok: false, reason: 'catalogue_behind' };
  const { units } = price(version.tariff, call.priced);
  return { ok: true, units, tariff: { id: tariff, version: tariffVersion }, quote: quoteId };
}

function listed(call: PaidCall, payment: DecodedPayment, catalogue: Catalogue, now: number): TermsVerdict {
  const { route } = call;
  const versions = catalogue.tariffsInForceWithin(route, now - route.maxTimeoutSeconds * 1000, now);
  for (const version of versions.toReversed()) {
    const { amount, units } = price(version.tariff, call.priced);
    if (amount === payment.authorization.value)
      return { ok: true, units, tariff: { id: version.id, version: version.version } };
  }
  return refused('price_not_in_force');
}

function windowOf(call: PaidCall, { authorization }: DecodedPayment, now: number): TermsVerdict | undefined {
  const seconds = BigInt(Math.floor(now / 1000));
  if (authorization.validAfter > seconds) return refused('invalid_exact_evm_payload_authorization_valid_after');
  const least = BigInt(leastTimeoutSeconds(call.route.timeoutMs));
  const left = authorization.validBefore - seconds;
  if (left < least || left > VALIDITY_MAX_SECONDS)
    return refused('invalid_exact_evm_payload_authorization_valid_before');
  return undefined;
}

/** What a quote is locked to. @param payer who is named when it is issued, who pays when it is checked */
export function quoteTermsOf(call: PaidCall, amount: bigint, payer: Address | undefined): QuoteTerms {
  const { digest, method, priced, route, tenant } = call;
  return {
    tenant: tenant.id,
    route: route.id,
    method,
    requestDigest: digest,
    urgency: priced.urgency,
    amount,
    asset: tenant.asset,
    network: tenant.network,
    payee: tenant.payee,
    payer,
  };
}

function refused(reason: Reason): TermsVerdict {
  return { ok: false, reason };
}
