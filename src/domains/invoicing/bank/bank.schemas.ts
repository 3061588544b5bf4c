import { z } from 'zod';
import type { StatementLayout } from './statement.js';
import { dateForms } from './statement-text.js';

const column = z.string().trim().min(1).max(100);
const columns = z.union([column.transform((one) => [one]), z.array(column).min(1).max(5)]);
const DELIMITERS = { comma: ',', semicolon: ';', tab: '\t' } as const;

/** Query of an import: whose file it is, and how the bank writes it. */
export const statementQuery = z
  .strictObject({
    tenant: z.string().max(100),
    /** The tenant's at its bank; blanks do not count. */
    account: z
      .string()
      .regex(/^[\p{L}\p{N} ._/-]{1,64}$/u, 'letters, digits, blanks and . _ / -, 64 at most')
      .transform((text) => text.replaceAll(' ', '').toUpperCase())
      .refine((text) => text !== '', 'must not be blank'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'three capital letters of ISO 4217')
      .default('USD'),
    date_column: column.default('date'),
    amount_column: column.default('amount'),
    /** Up to five, one after the other. */
    text_column: columns.default(['text']),
    currency_column: column.optional(),
    delimiter: z.enum(['comma', 'semicolon', 'tab']).optional(),
    decimal: z.enum(['point', 'comma']).default('point'),
    dates: z.enum(dateForms).default('YYYY-MM-DD'),
    /** Lines before the columns' names. */
    skip: z.coerce.number().int().min(0).max(50).default(0),
  })
  .transform(
    ({ amount_column, currency_column, date_column, delimiter, text_column, ...rest }): StatementLayout => ({
      ...rest,
      columns: {
        ...{ date: date_column, amount: amount_column, text: text_column },
        ...(currency_column !== undefined && { currency: currency_column }),
      },
      ...(delimiter !== undefined && { delimiter: DELIMITERS[delimiter] }),
    }),
  );

/** `payment`: the reference of the one that went back, if several of its amount came in. */
export const matchSchema = z.strictObject({ invoice: z.string().max(100), payment: z.string().max(100).optional() });
