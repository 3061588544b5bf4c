import { z } from 'zod';
import { parseAtomic } from '../../base/shared/money.js';
import type { Fraction } from './fraction.js';

/** The words that tariffs are written in. Parsed, counts and amounts are bigint. */

/** Rules, tiers, windows and conditions in one list. */
export const LIST_MAX = 32;
const PERCENT = /^(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,9})?$/;
const NOT_ATOMIC =
  'whole atomic units as a decimal string; a price below one atomic unit cannot be charged per request';

export const amount = z.string().transform((text, context) => {
  const value = parseAtomic(text);
  if (value !== undefined) return value;
  context.addIssue({ code: 'custom', message: NOT_ATOMIC });
  return z.NEVER;
});

export const count = (least: number) => z.int().min(least).transform(BigInt);

/** Name of a meter; it stands in the keys that limits count under, hence no slash and no colon. */
export const meter = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, 'a lower-case letter, then up to 31 letters, digits and _');

/** A factor in thousandths: 1000 changes nothing. */
export const permille = count(1);

/** `"2.9"` is 2.9 %: as a decimal string, so that no digit is lost. */
export const percent = z
  .string()
  .regex(PERCENT, 'percent as a decimal string, such as "2.9"')
  .transform((text): Fraction => {
    const [units = '', digits = ''] = text.split('.');
    return { numerator: BigInt(units + digits), denominator: 100n * 10n ** BigInt(digits.length) };
  });
