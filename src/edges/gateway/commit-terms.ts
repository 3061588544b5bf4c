import type { DecodedCommitment } from '../../base/x402/payment-header.js';
import type { AccountBook, BilledAccount } from '../../domains/customers/account-book.js';
import type { Used } from '../../domains/payments/commitment.holds.js';
import type { Catalogue, TariffVersion } from '../../domains/pricing/catalogue.js';
import type { Charge } from '../../domains/pricing/charges/charge.js';
import type { QuoteLock } from '../../domains/pricing/quote-lock.js';
import { eventsIn } from '../../domains/pricing/request/event-stream.js';
import type { EventsFact } from '../../domains/pricing/request/fact.js';
import { jsonOf } from '../../domains/pricing/request/priced-request.js';
import { eventsFact } from '../../domains/pricing/request/quantity.js';
import type { Quantity } from '../../domains/pricing/request/quantity.schemas.js';
import type { Tariff } from '../../domains/pricing/tariff.schemas.js';
import type { PaidCall } from './paid-call.js';
import { type Asked, priceOf, quotedPrice } from './terms.js';
import { paysIn } from './top-ups.js';
import type { HeaderPair } from './upstream/headers.js';
import type { EventsAllowed, StreamMeter } from './upstream/stream-meter.js';

/** What accounts are kept in, ISO 4217; in atomic units of the tenant's token. */
export const CURRENCY = 'USD';

export type CommitmentVerdict = ReturnType<typeof quotedPrice>;

/** What is paid into an account is not owed by one. */
export function sellsLater(call: PaidCall, accounts: Pick<AccountBook, 'hasAccounts'>): boolean {
  return accounts.hasAccounts(call.tenant.id) && !paysIn(call);
}

/**
 * Pure: is this commitment for this request, at a price that we asked? A quote that was given to a payer is taken if that is a wallet of
 * the account.
 * @param now epoch milliseconds
 */
export function checkCommitment(
  call: PaidCall,
  { accepted, payload }: DecodedCommitment,
  account: BilledAccount,
  catalogue: Catalogue,
  quotes: QuoteLock,
  now: number,
): CommitmentVerdict {
  const { tenant } = call;
  const same =
    payload.asset === CURRENCY &&
    payload.amount === accepted.amount &&
    accepted.asset === payload.asset &&
    accepted.payTo === tenant.id;
  if (!same) return { ok: false, reason: 'invalid_payment_requirements' };
  // The tenant takes another token now than the one whose units the account counts.
  if (account.network !== tenant.network || account.asset !== tenant.asset) {
    return { ok: false, reason: 'commitment_not_offered' };
  }
  let verdict = quotedPrice(call, accepted, undefined, catalogue, quotes, now);
  for (const wallet of account.wallets) {
    if (verdict.ok || verdict.reason !== 'quote_for_another_payer') break;
    verdict = quotedPrice(call, accepted, wallet, catalogue, quotes, now);
  }
  return verdict;
}

/** What came back, as far as tariffs count it. */
export interface Response {
  readonly headers: readonly HeaderPair[];
  readonly bytes: number;
  /** If it was short enough to be kept. */
  readonly body: Buffer | undefined;
  readonly milliseconds: number;
  readonly trailers: readonly HeaderPair[];
  /** What was counted while it flowed. */
  readonly meter: StreamMeter | undefined;
}

/** What the tariff counts of a stream, if it does. */
export function eventsAllowed({ charges }: Tariff): readonly EventsAllowed[] {
  const quantities = charges.flatMap((charge) => (charge.model === 'flat' ? [] : quantityOf(charge)));
  return quantities.flatMap((one) =>
    one.source === 'response_events' ? [{ fact: eventsFact(one), maximum: one.maximum }] : [],
  );
}

const counting = new WeakMap<Tariff, boolean>();

/** Whether what a request costs is only known by its response. */
export function countsResponse(tariff: Tariff): boolean {
  let counts = counting.get(tariff);
  if (counts === undefined) {
    counts = tariff.charges.some(
      (charge) => charge.model !== 'flat' && quantityOf(charge).source.startsWith('response_'),
    );
    counting.set(tariff, counts);
  }
  return counts;
}

/** Pure: what a request used and costs, now that its response is there: at the price that was agreed, with what the response says. */
export function usedBy(
  call: PaidCall,
  { tariff }: Pick<TariffVersion, 'tariff'>,
  asked: Asked,
  response: Response,
): Used {
  const { body, bytes, headers, meter, milliseconds, trailers } = response;
  const parts = {
    ...{ bytes, milliseconds, query: () => undefined, path: () => undefined },
    json: body === undefined ? () => undefined : jsonOf(body),
    header: fieldOf(headers),
    trailer: fieldOf(trailers),
    events: (fact: EventsFact) => meter?.read(fact) ?? eventsIn(body, fieldOf(headers)('content-type'), fact),
  };
  const messages = { request: call.messages.request, response: parts };
  const { amount, units } = priceOf({ ...call, messages }, tariff, asked);
  return { units, charged: amount };
}

/** By lower-case name; `null` if it stands there twice. */
export function fieldOf(fields: readonly HeaderPair[]) {
  return (name: string): string | null | undefined => {
    const values = fields.filter(([other]) => other.toLowerCase() === name);
    return values.length > 1 ? null : values[0]?.[1];
  };
}

function quantityOf(charge: Exclude<Charge, { model: 'flat' }>): Quantity {
  return charge.model === 'dynamic' ? charge.price : charge.quantity;
}
