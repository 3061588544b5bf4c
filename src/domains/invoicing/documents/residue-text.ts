import type { InvoiceDocument } from '../invoice-document.js';

const MINUS = '\u2212';

/**
 * The residue in the currency: `+0.000003 USD`. It is in atomic units, as a whole number or a fraction (`-10/3`); what has no
 * end as a decimal is cut six places behind the atomic unit, and says so.
 */
export function residueText({
  currency,
  minorDigits,
  residue,
  scale,
}: Pick<InvoiceDocument, 'currency' | 'minorDigits' | 'residue' | 'scale'>): string {
  const [numerator = '0', denominator = '1'] = residue.split('/');
  const top = BigInt(numerator);
  const bottom = BigInt(denominator) * BigInt(scale) * 10n ** BigInt(minorDigits);
  const places = minorDigits + scale.length - 1 + (denominator === '1' ? 0 : 6);
  const scaled = (top < 0n ? -top : top) * 10n ** BigInt(places);
  const digits = (scaled / bottom).toString().padStart(places + 1, '0');
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  const about = scaled % bottom === 0n ? '' : 'about ';
  const whole = digits.slice(0, digits.length - places);
  return `${about}${top < 0n ? MINUS : '+'}${whole}${fraction === '' ? '' : `.${fraction}`} ${currency}`;
}
