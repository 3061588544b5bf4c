import type { ChargeStep } from './charges/charge.js';
import { add, type Fraction, formatFraction, whole, ZERO } from './fraction.js';
import type { BoundStep, Price, Step } from './tariff.js';

/** One rule that applied, with its numbers as text; exact fractions are written `10/3`. */
export interface ExplainedStep {
  /** JSON pointer of the rule in the tariff. */
  readonly field: string;
  readonly rule: string;
  readonly [number: string]: string | readonly string[];
  /** The price so far, exact. */
  readonly price: string;
}

/** How a price came about, rule by rule; the sum of the charges is rounded up once, before the bounds. */
export function explain({ steps }: Price): readonly ExplainedStep[] {
  let price: Fraction = ZERO;
  return steps.map((step) => {
    price = after(price, step);
    const { field, rule, ...numbers } = step;
    return { field, rule, ...texts(numbers), price: formatFraction(price) };
  });
}

function after(price: Fraction, step: Step): Fraction {
  if (step.field === '/minimum' || step.field === '/maximum') return whole((step as BoundStep).amount);
  if (!('permille' in step)) return add(price, (step as ChargeStep).amount);
  return { numerator: price.numerator * step.permille, denominator: price.denominator * 1000n };
}

function texts(numbers: object): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : text(value)]),
  );
}

function text(value: unknown): string {
  return typeof value === 'object' ? formatFraction(value as Fraction) : String(value);
}
