import { assertNever } from '../../../base/shared/assert-never.js';
import { type Fraction, isLess, lesser, whole, ZERO } from '../fraction.js';
import { ABSENT } from '../request/fact.js';
import type { PricedRequest } from '../request/priced-request.js';
import { unitsOf } from '../request/quantity.js';
import type { Quantity } from '../request/quantity.schemas.js';
import { type Charge, type CountedCharge, chargeStep } from './charge.js';

/** The least that a charge adds to any request, or `free` if it never adds anything, which must be meant. */
export function leastOfCharge(charge: Charge): Fraction | 'free' {
  if (isFree(charge)) return 'free';
  if (charge.when !== undefined) return ZERO;
  if (charge.model === 'flat') return chargeStep(charge, '', nothing).amount;
  const least = charge.model === 'dynamic' ? whole(charge.minimum) : leastCounted(charge);
  return charge.minimum !== undefined && isLess(least, whole(charge.minimum)) ? whole(charge.minimum) : least;
}

/** A request without a body, headers and query. */
const nothing: PricedRequest = { urgency: 0, at: 0, load: 0, used: 0n, read: () => ABSENT };

function leastCounted(charge: CountedCharge): Fraction {
  const units = leastUnits(charge.quantity);
  if (units === 0n) return ZERO;
  const quantity: Quantity = { source: 'declared', units };
  if (charge.over === 'request') return chargeStep({ ...charge, quantity }, '', nothing).amount;
  return leastOfMore(charge, units);
}

/** The least that further units of a period cost: a started package, or a price that has to catch up, costs nothing more. */
function leastOfMore(charge: CountedCharge, units: bigint): Fraction {
  if (charge.included !== undefined && charge.included > 0n) return ZERO;
  const rates = charge.model === 'graduated' ? charge.tiers : charge.model === 'per_unit' ? [charge] : [];
  if (rates.length === 0 || rates.some(({ per }) => per > 1n)) return ZERO;
  return whole(rates.map(({ amount }) => amount * units).reduce(lesser));
}

/** What a caller can bring the units down to; a response counts its maximum, because it is priced before it is there. */
function leastUnits(quantity: Quantity): bigint {
  switch (quantity.source) {
    case 'declared':
      return quantity.units;
    case 'response_bytes':
    case 'response_seconds':
    case 'response_items':
    case 'response_field':
    case 'response_events':
      return unitsOf(quantity, nothing);
    case 'request_bytes':
    case 'items':
    case 'field':
    case 'text_tokens':
      return 0n;
    default:
      return assertNever(quantity);
  }
}

function isFree(charge: Charge): boolean {
  if (charge.minimum !== undefined && charge.minimum > 0n) return false;
  switch (charge.model) {
    case 'flat':
    case 'per_unit':
    case 'package':
      return charge.amount === 0n;
    case 'graduated':
    case 'volume':
      return charge.tiers.every(({ amount, flat = 0n }) => amount === 0n && flat === 0n);
    case 'percentage':
      return charge.percent.numerator === 0n;
    case 'graduated_percentage':
      return charge.tiers.every(({ flat = 0n, percent }) => percent.numerator === 0n && flat === 0n);
    case 'dynamic':
      return charge.maximum === 0n;
    default:
      return assertNever(charge);
  }
}
