import { z } from 'zod';
import type { Prisma } from '../../base/platform/prisma.js';
import { type Address, parseAddress } from '../../base/shared/hex.js';
import { invalidRequest, Problem, type ProblemError } from '../../base/shared/problem.js';
import { CUSTOMER_ID, type CustomerId } from '../../domains/customers/account.js';
import { isTenant } from '../../domains/customers/customers.queries.js';
import { idSchema } from '../../domains/pricing/catalogue.schemas.js';

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

/** The id that the path names. A body may repeat it, and nothing else. */
export function idOf(path: string, body: unknown): string {
  if (!idSchema.safeParse(path).success)
    throw new Problem('not_found', 'An id has lower-case letters, digits, - and _');
  if (body === undefined || body === path) return path;
  throw new Problem('invalid_request', `id: the path says ${path}`);
}

/** A payer that a path names. */
export function payerOf(text: string): Address {
  const payer = parseAddress(text);
  if (payer === undefined) throw new Problem('invalid_request', 'payer: 0x and 40 hex digits');
  return payer;
}

/** An account that a path names. */
export function customerOf(text: string): CustomerId {
  if (!CUSTOMER_ID.test(text)) throw new Problem('invalid_request', 'customer: cus_ and 24 hex digits');
  return text as CustomerId;
}

/** A tenant that a path names and that exists. @throws Problem `not_found` */
export async function tenantOf(prisma: Prisma, id: string): Promise<string> {
  if (await isTenant(prisma, id)) return id;
  throw new Problem('not_found', 'No such tenant');
}

export function parseQuery<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  return parse(schema, query, 'query', ({ detail, path }) => ({ detail, parameter: path.join('.') }));
}

export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return parse(schema, body, 'body', ({ detail, path }) => ({ detail, pointer: pointerTo(path) }));
}

/** JSON pointer into a body, as a URI fragment: `#/rules/charges/0/amount`. */
export function pointerTo(path: readonly PropertyKey[]): string {
  const tokens = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  return `#${tokens.map((token) => `/${encodeURIComponent(token)}`).join('')}`;
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

function parse<S extends z.ZodType>(
  schema: S,
  value: unknown,
  whole: string,
  errorOf: (fault: Fault) => ProblemError,
): z.output<S> {
  const parsed = schema.safeParse(value, { error: wordsFor });
  if (parsed.success) return parsed.data;
  const [first, ...others] = parsed.error.issues.flatMap(faultsOf).map(errorOf);
  throw invalidRequest([first!, ...others], whole);
}

/** In place of the library's words, where those are about its types. */
function wordsFor({ code, input }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'invalid_type') return undefined;
  if (input === undefined) return 'is missing';
  return Number.isNaN(input) ? 'must be a number' : undefined;
}

/** Each member that nobody asked for is a fault of its own. */
function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, detail: issue.message }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], detail: 'is not known' }));
}
