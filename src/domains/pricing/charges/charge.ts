import { z } from 'zod';
import { assertNever } from '../../../base/shared/assert-never.js';
import { type Fraction, isLess, roundUp, whole } from '../fraction.js';
import type { PricedRequest } from '../request/priced-request.js';
import { unitsOf } from '../request/quantity.js';
import { dynamicSchema } from './dynamic.js';
import { flatSchema } from './flat.js';
import { graduatedPrice, graduatedSchema } from './graduated.js';
import { graduatedPercentageSchema, tierOfPercent } from './graduated-percentage.js';
import { packageSchema, packagesOf, perUnitPrice, perUnitSchema } from './per-unit.js';
import { percentagePrice, percentageSchema } from './percentage.js';
import { unitsByTier } from './tiers.js';
import { risingVolumePrice, volumePrice, volumeSchema } from './volume.js';

export const chargeSchema = z.discriminatedUnion('model', [
  flatSchema,
  perUnitSchema,
  packageSchema,
  graduatedSchema,
  volumeSchema,
  percentageSchema,
  graduatedPercentageSchema,
  dynamicSchema,
]);

export type Charge = z.output<typeof chargeSchema>;
export type CountedCharge = Exclude<Charge, { model: 'flat' | 'dynamic' }>;

/** What one charge added, and how it came to it. */
export interface ChargeStep {
  /** JSON pointer of the charge in the tariff. */
  readonly field: string;
  readonly rule: Charge['model'];
  readonly units?: bigint;
  /** Units of the payer in the period before, if the charge is over the period. */
  readonly used?: bigint;
  /** Packages charged, after the included units. */
  readonly packages?: bigint;
  /** Units of this request in each tier. */
  readonly tiers?: readonly bigint[];
  /** Set where a bound of the charge replaced its amount. */
  readonly bounded?: 'minimum' | 'maximum';
  readonly amount: Fraction;
}

export function isCounted(charge: Charge): charge is CountedCharge {
  return charge.model !== 'flat' && charge.model !== 'dynamic';
}

/** Pure: one charge of a request, exact. */
export function chargeStep(charge: Charge, field: string, request: PricedRequest): ChargeStep {
  if (charge.model === 'flat') return bound(charge, { field, rule: charge.model, amount: whole(charge.amount) });
  if (charge.model === 'dynamic') {
    return bound(charge, { field, rule: charge.model, amount: whole(unitsOf(charge.price, request)) });
  }
  return bound(charge, countedStep(charge, field, request));
}

function countedStep(charge: CountedCharge, field: string, request: PricedRequest): ChargeStep {
  const units = unitsOf(charge.quantity, request);
  const over = charge.over === 'period';
  const used = over ? request.used : 0n;
  const [before, after] = [billable(charge, used), billable(charge, used + units)];
  return {
    field,
    rule: charge.model,
    units,
    ...(over ? { used } : {}),
    ...numbersOf(charge, before, after),
    amount: over ? whole(roundUp(total(charge, after)) - roundUp(total(charge, before))) : total(charge, after),
  };
}

function billable({ included = 0n }: CountedCharge, units: bigint): bigint {
  return units > included ? units - included : 0n;
}

/** Price of the first `units` billable units. Over a period it never falls, so no request is ever below zero. */
function total(charge: CountedCharge, units: bigint): Fraction {
  switch (charge.model) {
    case 'per_unit':
    case 'package':
      return perUnitPrice(charge, units);
    case 'graduated':
      return graduatedPrice(charge.tiers, charge.prorated, units);
    case 'volume':
      return (charge.over === 'period' ? risingVolumePrice : volumePrice)(charge.tiers, charge.prorated, units);
    case 'percentage':
      return percentagePrice(charge.percent, units);
    case 'graduated_percentage':
      return graduatedPrice(charge.tiers.map(tierOfPercent), true, units);
    default:
      return assertNever(charge);
  }
}

/** The numbers between the units and the amount. */
function numbersOf(charge: CountedCharge, before: bigint, after: bigint): Partial<ChargeStep> {
  if (charge.model === 'per_unit' || charge.model === 'package') {
    if (charge.model === 'per_unit' && charge.prorated) return {};
    return { packages: packagesOf(after, charge.per) - packagesOf(before, charge.per) };
  }
  if (charge.model === 'percentage') return {};
  if (charge.model === 'volume')
    return { tiers: charge.tiers.map((_, index) => allInTier(charge, index, before, after)) };
  const earlier = unitsByTier(charge.tiers, before);
  return { tiers: unitsByTier(charge.tiers, after).map((units, index) => units - earlier[index]!) };
}

function allInTier({ tiers }: Extract<Charge, { model: 'volume' }>, index: number, before: bigint, after: bigint) {
  const reached = tiers.findIndex(({ upTo }) => upTo === undefined || after <= upTo);
  return index === reached ? after - before : 0n;
}

function bound({ maximum, minimum }: Charge, step: ChargeStep): ChargeStep {
  if (minimum !== undefined && isLess(step.amount, whole(minimum))) {
    return { ...step, bounded: 'minimum', amount: whole(minimum) };
  }
  if (maximum !== undefined && isLess(whole(maximum), step.amount)) {
    return { ...step, bounded: 'maximum', amount: whole(maximum) };
  }
  return step;
}
