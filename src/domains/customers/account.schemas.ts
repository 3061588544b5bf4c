import { z } from 'zod';
import { isTimeZone } from '../pricing/modifiers/wall-clock.js';
import { suspensionReasons, waysToPay } from './account.js';
import { parseSigningKey, type SigningJwk } from './signing-key.js';

/** Atomic units of the tenant's token. */
const creditLine = z.string().regex(/^(?:0|[1-9][0-9]{0,29})$/, 'a whole number in decimal, 30 digits at most');

const timeZone = z.string().max(64).refine(isTimeZone, 'an IANA time zone, such as Europe/Amsterdam');

const method = z.enum(waysToPay);

export const openAccountSchema = z.strictObject({
  /** The token is taken for a dollar. */
  currency: z.literal('USD').default('USD'),
  /** 0: all is paid in advance. */
  credit_line: creditLine.default('0'),
  time_zone: timeZone.default('UTC'),
  way_to_pay: method.default('x402'),
});

export const creditLineSchema = z.strictObject({ credit_line: creditLine });

export const billingSchema = z.strictObject({ time_zone: timeZone });

export const wayToPaySchema = z
  .strictObject({
    method,
    /** What the card processor calls the card. */
    reference: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,100}$/, 'letters, digits, - and _, 100 at most')
      .optional(),
  })
  .refine(({ method, reference }) => reference === undefined || method === 'card', {
    path: ['reference'],
    error: 'is of a card only',
  });

export const suspensionSchema = z.strictObject({ reason: z.enum(suspensionReasons) });

const jwk = z.unknown().transform((value, context): SigningJwk => {
  const key = parseSigningKey(value);
  if (typeof key === 'object') return key;
  const message =
    key === 'private'
      ? 'is a private key; send the public one and make a new one'
      : 'must be an Ed25519 JWK (RFC 8037)';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

export const signingKeySchema = z.strictObject({ jwk });
