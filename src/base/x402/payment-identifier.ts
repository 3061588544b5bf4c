import type { JsonObject } from '../shared/json.js';
import { Problem } from '../shared/problem.js';

const KEY = 'payment-identifier';
const IDENTIFIER = /^[a-zA-Z0-9_-]{16,128}$/;

/** What an offer declares: an identifier is welcome, not required. Without the JSON Schema, which would cost 250 bytes a header. */
export const paymentIdentifierDeclaration = { [KEY]: { info: { required: false } } } as const satisfies JsonObject;

/**
 * The client's own id of a payment (x402 extension `payment-identifier`): 16 to 128 letters, digits, `-` or `_`.
 * `undefined` if the client sent none, also if it merely echoes the declaration.
 * A schema that the client sends along is ignored: compiling a stranger's schema is work we do not owe.
 *
 * @throws Problem `invalid_payment_identifier`
 */
export function paymentIdentifierOf(extensions: Readonly<Record<string, unknown>>): string | undefined {
  if (!Object.hasOwn(extensions, KEY)) return undefined;
  const extension = extensions[KEY];
  if (extension === null) return undefined;
  const info = isObject(extension) ? extension.info : undefined;
  if (!isObject(info)) throw invalid('extensions.payment-identifier.info: expected an object');
  if (typeof info.required !== 'boolean') {
    throw invalid('extensions.payment-identifier.info.required: expected true or false');
  }
  const { id } = info;
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string' || !IDENTIFIER.test(id)) {
    throw invalid('extensions.payment-identifier.info.id: expected 16 to 128 letters, digits, hyphens or underscores');
  }
  return id;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(detail: string): Problem {
  return new Problem('invalid_payment_identifier', detail);
}
