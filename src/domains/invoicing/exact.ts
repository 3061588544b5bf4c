import type { Fraction } from '../pricing/fraction.js';

/** Exact signed amounts: a `Fraction` whose numerator may be below zero. */

export const NONE: Fraction = { numerator: 0n, denominator: 1n };

/** In lowest terms, so that sums of many stay small. */
export function sum(amounts: readonly Fraction[]): Fraction {
  return amounts.reduce((a, b) => {
    if (a.denominator === b.denominator) return reduced(a.numerator + b.numerator, a.denominator);
    return reduced(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
  }, NONE);
}

export function minus(a: Fraction, b: Fraction): Fraction {
  return sum([a, { ...b, numerator: -b.numerator }]);
}

/** `12`, or `-10/3` in lowest terms. */
export function formatExact(amount: Fraction): string {
  const { denominator, numerator } = reduced(amount.numerator, amount.denominator);
  return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
}

export function parseExact(text: string): Fraction {
  const [above = '', below = '1'] = text.split('/');
  return { numerator: BigInt(above), denominator: BigInt(below) };
}

/** `-1.50` and the like, exactly. */
export function parseDecimal(text: string): Fraction {
  const [units = '', digits = ''] = text.split('.');
  return { numerator: BigInt(units + digits), denominator: 10n ** BigInt(digits.length) };
}

/** Of numbers of at most 18 digits behind the point: `-1.5`. */
export function subtractDecimals(a: string, b: string): string {
  const digits = Math.max(digitsOf(a), digitsOf(b));
  const scaled = (text: string) => {
    const { denominator, numerator } = parseDecimal(text);
    return (numerator * 10n ** BigInt(digits)) / denominator;
  };
  const difference = scaled(a) - scaled(b);
  const text = (difference < 0n ? -difference : difference).toString().padStart(digits + 1, '0');
  const fraction = text.slice(text.length - digits).replace(/0+$/, '');
  const sign = difference < 0n ? '-' : '';
  return digits === 0 || fraction === ''
    ? `${sign}${text.slice(0, text.length - digits)}`
    : `${sign}${text.slice(0, -digits)}.${fraction}`;
}

function digitsOf(text: string): number {
  return text.split('.')[1]?.length ?? 0;
}

/** The nearest whole number; a half goes up. */
export function halfUp({ denominator, numerator }: Fraction): bigint {
  return floorDivide(2n * numerator + denominator, 2n * denominator);
}

/**
 * Whole numbers of `scale` each that sum to the half-up rounded sum of the amounts: each is rounded down, and what is missing goes to
 * those that lost most, of equal ones to the first.
 */
export function largestRemainder(amounts: readonly Fraction[], scale: bigint): readonly bigint[] {
  const scaled = amounts.map(({ denominator, numerator }) => ({ numerator, denominator: denominator * scale }));
  const shares = scaled.map(({ denominator, numerator }) => floorDivide(numerator, denominator));
  const lost = scaled.map((amount, index) => minus(amount, { numerator: shares[index]!, denominator: 1n }));
  const order = lost.map((_, index) => index);
  order.sort((a, b) => {
    const { numerator } = minus(lost[b]!, lost[a]!);
    return numerator === 0n ? a - b : numerator < 0n ? -1 : 1;
  });
  const missing = halfUp(sum(scaled)) - shares.reduce((total, share) => total + share, 0n);
  for (const index of order.slice(0, Number(missing))) shares[index] = shares[index]! + 1n;
  return shares;
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

function reduced(numerator: bigint, denominator: bigint): Fraction {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}
