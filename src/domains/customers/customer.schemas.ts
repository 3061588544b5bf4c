import { z } from 'zod';

/** Texts for people: well-formed Unicode without control characters, but for tabs and new lines. */
function text(longest: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .refine((value) => value.isWellFormed() && !CONTROL.test(value), 'text without control characters');
}

const CONTROL = /[^\P{Cc}\t\n\r]/u;

/** The body of a customer: what is left out is not noted any more. */
export const customerDetailsSchema = z
  .strictObject({
    name: text(200).optional(),
    email: z.email().max(254).optional(),
    note: text(2000).optional(),
  })
  .refine((details) => Object.values(details).some((value) => value !== undefined), {
    message: 'name, email or note; to note nothing any more, delete the customer',
  });
