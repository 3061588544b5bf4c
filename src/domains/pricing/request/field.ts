import { z } from 'zod';
import { type JsonPointer, parsePointer } from './json-pointer.js';

/** A pointer as written, which names it, and its parsed tokens, which find the value. */
export interface Pointer {
  readonly text: string;
  readonly tokens: JsonPointer;
}

const POINTER_MAX = 200;
const NAME_MAX = 100;
/** RFC 9110 section 5.6.2, in lower case, as field names are compared. */
const HEADER = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Secrets, and what the gateway reads for itself. A price must not depend on them: it is explained, and it is logged. */
const RESERVED = /^(?:authorization|cookie|proxy-authorization|payment-signature|x-payment|priority|tollbook-.*)$/;

export const pointer = z
  .string()
  .max(POINTER_MAX)
  .transform((text, context): Pointer => {
    const tokens = parsePointer(text);
    if (tokens !== undefined) return { text, tokens };
    context.addIssue({ code: 'custom', message: 'a JSON pointer (RFC 6901)' });
    return z.NEVER;
  });

export const headerName = z
  .string()
  .max(NAME_MAX)
  .regex(HEADER, 'a header name in lower case')
  .refine((name) => !RESERVED.test(name), 'this header is a secret, or the gateway reads it for itself');

const name = z.string().min(1).max(NAME_MAX);

/** Where in a request a value stands, in the words of OpenAPI parameters. */
export const fieldSchema = z.discriminatedUnion('in', [
  z.strictObject({ in: z.literal('header'), name: headerName }),
  z.strictObject({ in: z.literal('query'), name }),
  /** A parameter of the route's pattern, without its colon. */
  z.strictObject({ in: z.literal('path'), name }),
  z.strictObject({ in: z.literal('body'), pointer }),
]);

export type Field = z.output<typeof fieldSchema>;

/** A response has trailers as well. */
export type ResponseField = Field | { readonly in: 'trailer'; readonly name: string };

/** Canonical name, the same for the same place in every tariff. */
export function nameOfField(field: ResponseField): string {
  return `${field.in}:${field.in === 'body' ? field.pointer.text : field.name}`;
}
