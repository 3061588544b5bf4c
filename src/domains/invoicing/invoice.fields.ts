import { z } from 'zod';
import { digest } from '../../base/event-store/event-fields.js';

/** The words that shapes of invoices are made of. What one of them accepts is stored for ever: add, never change. */

export const stream = 'invoice/{tenant}/{customer}/{sequence}';

export const customer = z
  .templateLiteral(['cus_', z.string().regex(/^[0-9a-f]{24}$/)])
  .meta({ description: 'The account' });

export const minorAmount = z
  .string()
  .regex(/^(?:0|-?[1-9][0-9]{0,77})$/)
  .meta({ description: 'Minor units of the currency, decimal, may be below zero' });

export const exactAmount = z
  .string()
  .regex(/^(?:0|-?[1-9][0-9]*(?:\/[1-9][0-9]*)?)$/)
  .meta({ description: 'Atomic units of the token, signed, a fraction in lowest terms' });

const quantity = z
  .string()
  .regex(/^(?:0|-?(?:0|[1-9][0-9]*)(?:\.[0-9]{1,18})?)$/)
  .meta({ description: 'Decimal' });

const time = z.iso
  .datetime({ precision: 3 })
  .meta({ description: "RFC 3339, UTC, milliseconds, by the tenant's clock" });

export const instant = time;

export const span = z.strictObject({ from: time, to: time.meta({ description: 'Exclusive' }) });

export const cut = z
  .strictObject({ position: z.string().regex(/^(?:0|[1-9][0-9]*)$/), to: time })
  .meta({ description: 'Position in the log, and instant: what is before both is on this or an earlier invoice' });

export const line = z.strictObject({
  key: z.string(),
  kind: z.enum(['requests', 'usage']),
  period: span,
  description: z.string(),
  route: z.string().optional(),
  tariff: z.strictObject({ id: z.string(), version: z.int() }).optional(),
  meter: z.string().optional(),
  price: z.strictObject({ of: z.enum(['meter', 'account']), version: z.int() }).optional(),
  quantity,
  unit: z.string(),
  events: z.int().min(0).meta({ description: 'Items under the root' }),
  exact: exactAmount,
  amount: minorAmount,
  root: digest.meta({ description: 'Root of the RFC 6962 tree over the items by position, base64url' }),
});

export const tax = z.strictObject({
  name: z.string(),
  percent: z.string().meta({ description: 'Decimal' }),
  taxable: minorAmount,
  amount: minorAmount,
});
