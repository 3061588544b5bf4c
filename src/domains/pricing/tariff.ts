import type { AtomicAmount } from '../../base/shared/money.js';
import { type Charge, type ChargeStep, chargeStep, isCounted } from './charges/charge.js';
import { holds } from './condition.js';
import { add, roundUp, ZERO } from './fraction.js';
import { type ModifierStep, modifierStep } from './modifiers/modifier.js';
import { classOf, type ServiceClass } from './modifiers/service-class.js';
import { type Fact, nameOfFact } from './request/fact.js';
import type { PricedRequest } from './request/priced-request.js';
import { quantityKey } from './request/quantity.js';
import type { Tariff } from './tariff.schemas.js';

const NEUTRAL = 1000n;

/** `amount` replaces the price so far. */
export interface BoundStep {
  readonly field: '/minimum' | '/maximum';
  readonly rule: 'minimum' | 'maximum';
  readonly amount: AtomicAmount;
}

/** One rule that applied, and every number of it. */
export type Step = ChargeStep | ModifierStep | BoundStep;

export interface Price {
  readonly amount: AtomicAmount;
  /** Units used: those of each quantity that was counted, or 1 if the tariff counts nothing. */
  readonly units: bigint;
  /** The class that was priced, if the tariff has classes. */
  readonly class?: string;
  readonly steps: readonly Step[];
  /** What the price looked at, by canonical name: facts of the request, and `at`, `load`, `used`. */
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Price of one request: charges are added, modifiers multiply the sum, the product is rounded up once to whole atomic
 * units, then minimum and maximum bound it. Exact and never negative; the same input gives the same price for ever.
 */
export function price(tariff: Tariff, request: PricedRequest): Price {
  const inputs: Record<string, string> = {};
  const watched = new WatchedRequest(request, inputs);
  const chosen = chosenClass(tariff, watched);
  const steps: Step[] = [];
  const { sum, units } = addCharges(tariff.charges, watched, chosen, steps);
  let { denominator, numerator } = sum;
  tariff.modifiers.forEach((modifier, index) => {
    const verdict = modifier.when === undefined || holds(modifier.when, watched, chosen?.id);
    if (verdict === false) return;
    const step = modifierStep(modifier, `/modifiers/${index}`, watched, chosen);
    // Where its condition cannot be read a modifier applies only if that makes the request no cheaper.
    if (verdict === undefined && step.permille < NEUTRAL) return;
    steps.push(step);
    numerator *= step.permille;
    denominator *= NEUTRAL;
  });
  const amount = bound(roundUp({ numerator, denominator }), tariff, steps);
  return { amount, units, ...(chosen === undefined ? {} : { class: chosen.id }), steps, inputs };
}

/** Writes down what is looked at. A class, because getters of a literal cost as much as the whole price. */
class WatchedRequest implements PricedRequest {
  constructor(
    private readonly request: PricedRequest,
    private readonly inputs: Record<string, string>,
  ) {}

  get urgency(): number {
    return this.request.urgency;
  }

  get class(): string | undefined {
    return this.request.class;
  }

  get at(): number {
    this.inputs.at = `${this.request.at}`;
    return this.request.at;
  }

  get load(): number {
    this.inputs.load = `${this.request.load}`;
    return this.request.load;
  }

  get used(): bigint {
    this.inputs.used = `${this.request.used}`;
    return this.request.used;
  }

  read(fact: Fact): string {
    const reading = this.request.read(fact);
    if (fact.side === 'request') this.inputs[nameOfFact(fact)] = reading;
    return reading;
  }
}

function chosenClass({ modifiers }: Tariff, request: PricedRequest): ServiceClass | undefined {
  for (const modifier of modifiers) if (modifier.kind === 'class') return classOf(modifier, request);
  return undefined;
}

function addCharges(
  charges: readonly Charge[],
  request: PricedRequest,
  chosen: ServiceClass | undefined,
  steps: Step[],
) {
  let sum = ZERO;
  const counted = new Map<string, bigint>();
  charges.forEach((charge, index) => {
    // Where a condition cannot be read the charge applies: no request is cheaper for being unreadable.
    if (charge.when !== undefined && holds(charge.when, request, chosen?.id) === false) return;
    const step = chargeStep(charge, `/charges/${index}`, request);
    if (isCounted(charge)) counted.set(quantityKey(charge.quantity), step.units!);
    sum = add(sum, step.amount);
    steps.push(step);
  });
  if (!charges.some(isCounted)) return { sum, units: 1n };
  let units = 0n;
  for (const one of counted.values()) units += one;
  return { sum, units };
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
