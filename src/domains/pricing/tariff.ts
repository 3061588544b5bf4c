import { assertNever } from '../../base/shared/assert-never.js';
import type { AtomicAmount } from '../../base/shared/money.js';
import { divideUp, type PricedRequest, unitsOf } from './quantity.js';
import type { Charge, Modifier, Tariff } from './tariff.schemas.js';

const PERMILLE = 1000n;

/** One rule and what it did. `field` is the JSON pointer of the rule in the tariff. */
export type Step =
  | { readonly field: string; readonly rule: 'flat'; readonly amount: AtomicAmount }
  | {
      readonly field: string;
      readonly rule: 'per_unit';
      readonly units: bigint;
      /** Packages charged, after the included units, rounded up. */
      readonly packages: bigint;
      readonly amount: AtomicAmount;
    }
  | { readonly field: string; readonly rule: 'priority'; readonly urgency: number; readonly permille: bigint }
  /** `amount` replaces the price so far. */
  | { readonly field: '/minimum' | '/maximum'; readonly rule: 'minimum' | 'maximum'; readonly amount: AtomicAmount };

export interface Price {
  readonly amount: AtomicAmount;
  /** Units used: those of all per-unit charges together, or 1 if the tariff counts nothing. */
  readonly units: bigint;
  readonly steps: readonly Step[];
}

/**
 * Price of one request: charges are added, modifiers multiply the sum, the product is rounded up once to whole atomic
 * units, then minimum and maximum bound it. Exact and never negative; the same input gives the same price for ever.
 */
export function price(tariff: Tariff, request: PricedRequest): Price {
  const steps: Step[] = [];
  const { sum, units } = addCharges(tariff.charges, request, steps);
  const modified = applyModifiers(sum, tariff.modifiers, request, steps);
  return { amount: bound(modified, tariff, steps), units, steps };
}

function addCharges(charges: readonly Charge[], request: PricedRequest, steps: Step[]) {
  let sum = 0n;
  let counted: bigint | undefined;
  for (const [index, charge] of charges.entries()) {
    const step = chargeStep(charge, `/charges/${index}`, request);
    if (step.rule === 'per_unit') counted = (counted ?? 0n) + step.units;
    sum += step.amount;
    steps.push(step);
  }
  return { sum, units: counted ?? 1n };
}

function chargeStep(charge: Charge, field: string, request: PricedRequest) {
  switch (charge.model) {
    case 'flat':
      return { field, rule: 'flat', amount: charge.amount } as const;
    case 'per_unit': {
      const units = unitsOf(charge.quantity, request);
      const included = charge.included ?? 0n;
      const packages = units > included ? divideUp(units - included, charge.per) : 0n;
      return { field, rule: 'per_unit', units, packages, amount: packages * charge.amount } as const;
    }
    default:
      return assertNever(charge);
  }
}

function applyModifiers(
  sum: AtomicAmount,
  modifiers: readonly Modifier[],
  request: PricedRequest,
  steps: Step[],
): AtomicAmount {
  let numerator = sum;
  let denominator = 1n;
  for (const [index, modifier] of modifiers.entries()) {
    const { urgency } = request;
    // The schema holds the list at one factor for each of the eight urgencies.
    const permille = modifier.permille[urgency]!;
    steps.push({ field: `/modifiers/${index}`, rule: modifier.kind, urgency, permille });
    numerator *= permille;
    denominator *= PERMILLE;
  }
  return divideUp(numerator, denominator);
}

function bound(amount: AtomicAmount, { minimum, maximum }: Tariff, steps: Step[]): AtomicAmount {
  if (minimum !== undefined && amount < minimum) {
    steps.push({ field: '/minimum', rule: 'minimum', amount: minimum });
    return minimum;
  }
  if (maximum !== undefined && amount > maximum) {
    steps.push({ field: '/maximum', rule: 'maximum', amount: maximum });
    return maximum;
  }
  return amount;
}
