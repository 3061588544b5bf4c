import { z } from 'zod';

/** The words that shapes of events are made of. What one of them accepts is stored for ever: add, never change. */

/** Lower case, as `parseAddress` gives it. */
export const address = z
  .templateLiteral(['0x', z.string().regex(/^[0-9a-f]{40}$/)])
  .meta({ description: 'Address: 20 bytes in lower-case hex' });

export const bytes32 = z
  .templateLiteral(['0x', z.string().regex(/^[0-9a-f]{64}$/)])
  .meta({ description: '32 bytes in lower-case hex' });

export const network = z
  .templateLiteral(['eip155:', z.string().regex(/^[1-9][0-9]{0,31}$/)])
  .meta({ description: 'CAIP-2 id of an EVM chain' });

const decimal = z.string().regex(/^(?:0|[1-9][0-9]{0,77})$/);

export const atomicAmount = decimal.meta({ description: 'Atomic units of the asset, decimal' });

export const wholeNumber = decimal.meta({ description: 'Whole number, decimal' });

export const epochSecondsText = decimal.meta({ description: 'Seconds since 1970-01-01T00:00Z, decimal' });

/** RFC 3339 in UTC with milliseconds, as `Date.toISOString` writes it. */
export const instant = z.iso.datetime({ precision: 3 }).meta({ description: 'RFC 3339, UTC, milliseconds' });

export const digest = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .meta({ description: 'SHA-256, base64url without padding' });

export const tenantId = z.string().min(1).meta({ description: 'Tenant' });
