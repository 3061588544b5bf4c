import { z } from 'zod';
import { address, atomicAmount, digest, network, tenantId } from '../../base/event-store/event-fields.js';
import { type EventShape, shapeOf } from '../../base/event-store/event-shape.js';
import type { UpcastStep } from '../../base/event-store/upcast.js';
import { customer, cut, exactAmount, instant, line, minorAmount, span, stream, tax } from './invoice.fields.js';
import type {
  CreditNoteIssued,
  CreditNoteIssuedV1,
  DunningNoticeSent,
  InvoiceBecameOverdue,
  InvoiceDrafted,
  InvoiceFinalized,
  InvoiceOverpaid,
  InvoicePaymentApplied,
  InvoicePaymentReversed,
  InvoiceVoided,
  InvoiceWrittenOff,
} from './invoice.js';

const decimals = z.int().min(0).max(36).meta({ description: 'Of the token' });
const reference = z.string().meta({ description: 'What was applied; unique on the invoice' });

const drafted = shapeOf<InvoiceDrafted>()({
  type: 'InvoiceDrafted',
  schema: 1,
  stream,
  when: 'An account has something to be billed; again, when that came to nothing and another month is over.',
  data: z.strictObject({
    tenant: tenantId,
    customer,
    sequence: z.int().min(1),
    reason: z.enum(['period', 'threshold']),
    period: span,
    timeZone: z.string(),
    graceUntil: instant,
    currency: z.string(),
    network,
    asset: address,
    decimals,
  }),
});

const finalized = shapeOf<InvoiceFinalized>()({
  type: 'InvoiceFinalized',
  schema: 1,
  stream,
  when: 'An invoice was issued; what it says never changes. Its number is its place among those of the tenant.',
  data: z.strictObject({
    cut,
    after: cut.optional(),
    issuedAt: instant,
    dueAt: instant,
    currency: z.string(),
    decimals,
    scale: atomicAmount.meta({ description: 'Atomic units of the token in a minor unit' }),
    lines: z.array(line),
    subtotal: minorAmount,
    taxes: z.array(tax),
    total: minorAmount,
    residue: exactAmount.meta({ description: 'Subtotal × scale less the exact amounts of the lines, atomic units' }),
    sellerDigest: digest,
    buyerDigest: digest,
  }),
});

const applied = shapeOf<InvoicePaymentApplied>()({
  type: 'InvoicePaymentApplied',
  schema: 1,
  stream,
  when: 'Money that was there counts for an invoice.',
  data: z.strictObject({ source: z.enum(['prepaid', 'card', 'transfer']), reference, amount: minorAmount }),
});

const overpaid = shapeOf<InvoiceOverpaid>()({
  type: 'InvoiceOverpaid',
  schema: 1,
  stream,
  when: 'More came in than was outstanding of an invoice: the rest was paid into the account.',
  data: z.strictObject({ reference, amount: minorAmount }),
});

const reversed = shapeOf<InvoicePaymentReversed>()({
  type: 'InvoicePaymentReversed',
  schema: 1,
  stream,
  when: 'Money that counted for an invoice is gone again, all of what was applied under the reference.',
  data: z.strictObject({ reference, reason: z.enum(['refunded', 'disputed', 'reverted', 'mistaken']) }),
});

const credit = {
  note: z.int().min(1),
  reason: z.enum(['duplicate', 'quality', 'not_delivered', 'pricing', 'on_request', 'other']),
  issuedAt: instant,
  lines: z.array(z.strictObject({ key: z.string(), description: z.string(), amount: minorAmount })),
  subtotal: minorAmount,
  taxes: z.array(tax),
  total: minorAmount,
  returned: minorAmount.meta({ description: 'As much of the total as was paid already, minor units' }),
};
const issue = {
  type: 'CreditNoteIssued',
  stream,
  when: 'Part of an invoice was taken back by a document of its own.',
} as const;

const creditedV1 = shapeOf<CreditNoteIssuedV1>()({ ...issue, schema: 1, data: z.strictObject(credit) });

const credited = shapeOf<CreditNoteIssued>()({
  ...issue,
  schema: 2,
  data: z.strictObject({
    ...credit,
    request: digest.optional().meta({ description: 'Of the key that it was asked for under; once on the invoice' }),
  }),
});

const overdue = shapeOf<InvoiceBecameOverdue>()({
  type: 'InvoiceBecameOverdue',
  schema: 1,
  stream,
  when: 'An invoice was due and is not paid.',
  data: z.strictObject({ at: instant }),
});

const noticed = shapeOf<DunningNoticeSent>()({
  type: 'DunningNoticeSent',
  schema: 1,
  stream,
  when: 'A customer was reminded of an invoice that is overdue.',
  data: z.strictObject({ step: z.int().min(1), at: instant }),
});

const voided = shapeOf<InvoiceVoided>()({
  type: 'InvoiceVoided',
  schema: 1,
  stream,
  when: 'What is outstanding of an invoice is asked for no more; nothing of it is billed again.',
  data: z.strictObject({ reason: z.enum(['mistaken', 'duplicate', 'on_request', 'other']), cancelled: minorAmount }),
});

const writtenOff = shapeOf<InvoiceWrittenOff>()({
  type: 'InvoiceWrittenOff',
  schema: 1,
  stream,
  when: 'A tenant gave up on what is outstanding of an invoice.',
  data: z.strictObject({ amount: minorAmount, reason: z.enum(['uncollectible', 'insolvent', 'disputed', 'other']) }),
});

export const invoiceShapes: readonly EventShape[] = [
  ...[drafted, finalized, applied, overpaid, reversed, creditedV1, credited],
  ...[overdue, noticed, voided, writtenOff],
];

/** What version 1 says means the same in version 2, so whoever folds an invoice may read either. */
export const invoiceUpcasts: readonly UpcastStep[] = [{ type: 'CreditNoteIssued', from: 1, data: (old) => old }];
