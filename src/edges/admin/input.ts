import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { type Address, parseAddress } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { isTenant } from '../../domains/customers/customers.queries.js';

/** A text to look for. Postgres stores no NUL in one, and refuses to be asked. */
export function text(longest = 100) {
  return z
    .string()
    .max(longest)
    .regex(/^[^\0]*$/, 'must not contain NUL');
}

/** Years that both JavaScript and Postgres write with four digits. */
const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(9999, 0, 1);

/** RFC 3339. */
export const instant = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .refine((date) => date.getTime() >= EARLIEST && date.getTime() < LATEST, 'must be within the years 1970 to 9998');

/** A payer that a path names. */
export function payerOf(text: string): Address {
  const payer = parseAddress(text);
  if (payer === undefined) throw new Problem('invalid_request', 'payer: 0x and 40 hex digits');
  return payer;
}

/** A tenant that a path names and that exists. @throws Problem `not_found` */
export async function tenantOf(prisma: Prisma, id: string): Promise<string> {
  if (await isTenant(prisma, id)) return id;
  throw new Problem('not_found', 'No such tenant');
}

export function parseQuery<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  return parse(schema, query, 'query');
}

export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return parse(schema, body, 'body');
}

function parse<S extends z.ZodType>(schema: S, value: unknown, whole: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Problem('invalid_request', `${issue.path.join('.') || whole}: ${issue.message}`);
}
