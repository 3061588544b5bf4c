import { assertNever } from '../../base/shared/assert-never.js';
import { graduatedPrice } from '../pricing/charges/graduated.js';
import { perUnitPrice } from '../pricing/charges/per-unit.js';
import { percentagePrice } from '../pricing/charges/percentage.js';
import type { Tier } from '../pricing/charges/tiers.js';
import { volumePrice } from '../pricing/charges/volume.js';
import { type Fraction, isLess, whole } from '../pricing/fraction.js';
import { NONE, parseDecimal } from './exact.js';
import type { MeterCharge, MeterTier } from './settings.js';

/**
 * Pure: what a total of a period costs, in atomic units, exactly. Totals have digits behind the point, so they and all that counts units
 * are taken in parts of a unit. Nothing costs nothing.
 *
 * @param total decimal, not negative
 */
export function meterPrice(charge: MeterCharge, total: string): Fraction {
  const { denominator: parts, numerator: units } = parseDecimal(total);
  if (units === 0n) return NONE;
  const included = BigInt(charge.included ?? 0) * parts;
  return bounded(charge, priceOf(charge, units > included ? units - included : 0n, parts));
}

function priceOf(charge: MeterCharge, units: bigint, parts: bigint): Fraction {
  const prorated = charge.prorated ?? false;
  const amount = BigInt(charge.amount ?? 0);
  switch (charge.model) {
    case 'flat':
      return whole(amount);
    case 'per_unit':
    case 'package':
      return perUnitPrice({ amount, per: BigInt(charge.per ?? 1) * parts, prorated }, units);
    case 'graduated':
      return graduatedPrice(tiersIn(charge, parts), prorated, units);
    case 'volume':
      return volumePrice(tiersIn(charge, parts), prorated, units);
    case 'percentage':
      return percentagePrice(percentIn(charge.percent ?? '0', parts), units);
    case 'graduated_percentage':
      return graduatedPrice(tiersIn(charge, parts), true, units);
    default:
      return assertNever(charge.model);
  }
}

function tiersIn({ model, tiers = [] }: MeterCharge, parts: bigint): readonly Tier[] {
  return tiers.map((tier) => {
    const upTo = tier.upTo === undefined ? undefined : BigInt(tier.upTo) * parts;
    const flat = tier.flat === undefined ? undefined : BigInt(tier.flat);
    return { ...rateOf(model, tier, parts), upTo, flat };
  });
}

function rateOf(model: MeterCharge['model'], { amount = '0', per = 1, percent = '0' }: MeterTier, parts: bigint) {
  if (model !== 'graduated_percentage') return { amount: BigInt(amount), per: BigInt(per) * parts };
  const share = percentIn(percent, parts);
  return { amount: share.numerator, per: share.denominator };
}

function percentIn(percent: string, parts: bigint): Fraction {
  const { denominator, numerator } = parseDecimal(percent);
  return { numerator, denominator: denominator * 100n * parts };
}

function bounded({ maximum, minimum }: MeterCharge, amount: Fraction): Fraction {
  if (minimum !== undefined && isLess(amount, whole(BigInt(minimum)))) return whole(BigInt(minimum));
  if (maximum !== undefined && isLess(whole(BigInt(maximum)), amount)) return whole(BigInt(maximum));
  return amount;
}
