import { isCounted } from './charges/charge.js';
import { type TimeOfDay, timePermille } from './modifiers/time-of-day.js';
import type { Fact } from './request/fact.js';
import type { PricedRequest } from './request/priced-request.js';
import { unitsOf } from './request/quantity.js';
import { type Price, price } from './tariff.js';
import type { Tariff } from './tariff.schemas.js';

const MINUTE_MS = 60_000;

/**
 * Instants (epoch milliseconds) that between them have every price that a tariff asked from `from` to `to`, both
 * included, newest first. Only local time changes it by itself, on whole minutes.
 */
export function listPriceInstants({ modifiers }: Tariff, from: number, to: number): readonly number[] {
  const clocks = modifiers.filter((modifier): modifier is TimeOfDay => modifier.kind === 'time_of_day');
  if (clocks.length === 0) return [to];
  const factors = (at: number) => clocks.map((clock) => timePermille(clock, at)).join(' ');
  const instants = [to];
  for (let minute = Math.floor(to / MINUTE_MS) * MINUTE_MS; minute > from; minute -= MINUTE_MS) {
    if (factors(minute - 1) !== factors(minute)) instants.push(minute - 1);
  }
  return instants;
}

/**
 * The price of a request whose payer's usage nobody knows: the dearest that any usage makes it, so that no included unit,
 * low first tier or discount is had by not saying who pays. Prices turn with usage only where a tier begins or a request
 * reaches into one, so nothing else is tried; where a package or an
 * atomic unit is begun, a known usage may cost one of those more.
 */
export function listPrice(tariff: Tariff, request: PricedRequest): Price {
  if (tariff.period === undefined) return price(tariff, request);
  const prices = turningPoints(tariff, request).map((used) => price(tariff, new RequestAt(request, used)));
  return prices.reduce((dearest, one) => (one.amount > dearest.amount ? one : dearest));
}

/** A request of a payer that has used so much. Reads no more than a price looks at: of a past request not all is known. */
class RequestAt implements PricedRequest {
  constructor(
    private readonly request: PricedRequest,
    readonly used: bigint,
  ) {}

  get urgency(): number {
    return this.request.urgency;
  }

  get at(): number {
    return this.request.at;
  }

  get load(): number {
    return this.request.load;
  }

  get class(): string | undefined {
    return this.request.class;
  }

  read(fact: Fact): string {
    return this.request.read(fact);
  }
}

/** Ascending, so that of several dearest the least is taken. */
function turningPoints({ charges, modifiers }: Tariff, request: PricedRequest): readonly bigint[] {
  const points = new Set<bigint>([0n]);
  const add = (edge: bigint, units: bigint) => {
    for (const point of [edge, edge + 1n, edge - units, edge - units + 1n]) if (point >= 0n) points.add(point);
  };
  for (const charge of charges) {
    if (!isCounted(charge) || charge.over !== 'period') continue;
    const units = unitsOf(charge.quantity, request);
    const included = charge.included ?? 0n;
    add(included, units);
    if ('tiers' in charge) for (const { upTo } of charge.tiers) if (upTo !== undefined) add(included + upTo, units);
  }
  for (const modifier of modifiers) {
    if (modifier.kind === 'volume') for (const { upTo } of modifier.tiers) if (upTo !== undefined) add(upTo, 1n);
  }
  return [...points].sort((a, b) => (a < b ? -1 : Number(a > b)));
}
