/** An exact non-negative rational number; `denominator` is positive. Not reduced: prices divide once, at the end. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export const ZERO: Fraction = { numerator: 0n, denominator: 1n };

export function whole(numerator: bigint): Fraction {
  return { numerator, denominator: 1n };
}

export function add(a: Fraction, b: Fraction): Fraction {
  if (a.denominator === b.denominator) return { numerator: a.numerator + b.numerator, denominator: a.denominator };
  return {
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  };
}

export function isLess(a: Fraction, b: Fraction): boolean {
  return a.numerator * b.denominator < b.numerator * a.denominator;
}

export function roundUp({ denominator, numerator }: Fraction): bigint {
  return divideUp(numerator, denominator);
}

export function lesser(a: bigint, b: bigint): bigint {
  if (b < a) return b;
  return a;
}

/** Exact integer division, rounded up, of a non-negative by a positive number. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** `"7"`, or `"10/3"` in lowest terms: for people and for JSON. */
export function formatFraction({ denominator, numerator }: Fraction): string {
  const divisor = greatestCommonDivisor(numerator, denominator);
  const [above, below] = [numerator / divisor, denominator / divisor];
  return below === 1n ? `${above}` : `${above}/${below}`;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
