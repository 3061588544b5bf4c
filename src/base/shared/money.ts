/**
 * Money in the smallest unit of its asset, as a bigint; on the wire a decimal string.
 * The largest value is that of a uint256, which is what an ERC-20 token can hold.
 */
export type AtomicAmount = bigint;

const MAX_UINT256 = 2n ** 256n - 1n;
/** `0`, or a digit 1-9 followed by digits: no sign, no exponent, no hex, ASCII only. 78 digits hold any uint256. */
const DECIMAL = /^(?:0|[1-9][0-9]{0,77})$/;

/** Parses a wire amount; `undefined` for anything but a canonical decimal integer in 0..2^256-1. */
export function parseAtomic(text: unknown): AtomicAmount | undefined {
  if (typeof text !== 'string' || !DECIMAL.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_UINT256 ? value : undefined;
}

/** A decimal number without sign, exponent or separators: `0.002`, `12`, `.5` is none. */
const UNITS = /^(0|[1-9][0-9]{0,59})(?:\.([0-9]{1,38}))?$/;

/**
 * The inverse of `formatUnits`, exact: `"0.002"` at 6 decimals is `2000n`.
 *
 * @returns `malformed` for anything but a plain decimal number, `too_fine` if it is no whole number of atomic units
 */
export function parseUnits(text: string, decimals: number): AtomicAmount | 'malformed' | 'too_fine' {
  const [, whole, fraction = ''] = UNITS.exec(text) ?? [];
  if (whole === undefined) return 'malformed';
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > decimals) return 'too_fine';
  return BigInt(whole + digits.padEnd(decimals, '0'));
}

/** `1234567n` at 6 decimals is `"1.234567"`; trailing zeros are dropped. For people, never for arithmetic. */
export function formatUnits(amount: AtomicAmount, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
