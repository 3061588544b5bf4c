import { z } from 'zod';
import { atomicAmount, tenantId } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { TenantClockAdvanced } from '../customers/tenant-clock.js';
import { instant, minorAmount } from './invoice.fields.js';
import type { AccountTaxesSet, InvoicingSet, MeterPriced } from './settings.js';

const count = z.int().min(0);
const percent = z.string().meta({ description: 'Percent, decimal' });

const advanced = shapeOf<TenantClockAdvanced>()({
  type: 'TenantClockAdvanced',
  schema: 1,
  stream: 'clock/{tenant}',
  when: 'The clock of a tenant for trials was put forward.',
  data: z.strictObject({
    tenant: tenantId,
    offsetMs: count.meta({ description: 'How far it is ahead of the real one now, in all, milliseconds' }),
  }),
});

const set = shapeOf<InvoicingSet>()({
  type: 'InvoicingSet',
  schema: 1,
  stream: 'invoicing/{tenant}',
  when: 'A tenant said how it invoices.',
  data: z.strictObject({
    tenant: tenantId,
    numberPrefix: z.string().meta({ description: 'Before the number of an invoice' }),
    graceSeconds: count.meta({ description: 'How long late events still get on an invoice' }),
    dueDays: count.meta({ description: 'From the issue to when it is due' }),
    threshold: minorAmount.optional().meta({ description: 'What is not billed is invoiced when it comes to this' }),
    dunningDays: z.array(count).meta({ description: 'Days after it was due on which the customer is reminded' }),
  }),
});

const taxes = shapeOf<AccountTaxesSet>()({
  type: 'AccountTaxesSet',
  schema: 1,
  stream: 'account-taxes/{tenant}/{customer}',
  when: 'A tenant said what taxes are added to the invoices of an account.',
  data: z.strictObject({
    tenant: tenantId,
    customer: z.string(),
    rates: z.array(z.strictObject({ name: z.string(), percent })),
  }),
});

const priced = shapeOf<MeterPriced>()({
  type: 'MeterPriced',
  schema: 1,
  stream: 'meter-price/{tenant}/{meter}/{customer}',
  when: 'A tenant said what it asks for what a meter counts in a period, of all or of one account.',
  data: z.strictObject({
    tenant: tenantId,
    meter: z.string(),
    customer: z
      .string()
      .optional()
      .meta({ description: 'For one account; else for all that have no price of their own' }),
    version: z.int().min(1),
    effectiveFrom: instant.meta({ description: 'For periods that begin then or later' }),
    charge: z.strictObject({
      model: z.enum(['flat', 'per_unit', 'package', 'graduated', 'volume', 'percentage', 'graduated_percentage']),
      amount: atomicAmount.optional(),
      per: count.optional(),
      prorated: z.boolean().optional(),
      included: count.optional(),
      percent: percent.optional(),
      minimum: atomicAmount.optional(),
      maximum: atomicAmount.optional(),
      tiers: z
        .array(
          z.strictObject({
            upTo: count.optional(),
            amount: atomicAmount.optional(),
            per: count.optional(),
            percent: percent.optional(),
            flat: atomicAmount.optional(),
          }),
        )
        .optional(),
    }),
  }),
});

export const invoicingSettingsShapes: readonly EventShape[] = [advanced, set, taxes, priced];
