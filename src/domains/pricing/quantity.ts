import { assertNever } from '../../base/shared/assert-never.js';
import type { Json } from '../../base/shared/json.js';
import { resolvePointer } from './json-pointer.js';
import type { Quantity } from './tariff.schemas.js';

/** What a price may depend on. A quote is locked to all of it: body by the request digest, urgency by its own term. */
export interface PricedRequest {
  /** 0 (most urgent) to 7, see `urgencyOf`. */
  readonly urgency: number;
  readonly bodyBytes: number;
  /** The body as JSON, or `undefined` if it is none. Called only by tariffs that look inside. */
  bodyJson(): Json | undefined;
}

type TextTokens = Extract<Quantity, { source: 'text_tokens' }>;

/**
 * Units of one charge, never negative. Where a text is asked for, anything but a text (an unreadable body included)
 * counts as long as the whole body, so that a malformed request is never the cheaper one.
 */
export function unitsOf(quantity: Quantity, request: PricedRequest): bigint {
  switch (quantity.source) {
    case 'declared':
      return quantity.units;
    case 'request_bytes':
      return BigInt(request.bodyBytes);
    case 'text_tokens':
      return textTokens(quantity, request);
    default:
      return assertNever(quantity);
  }
}

/** Exact integer division, rounded up, of a non-negative by a positive number. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function textTokens(quantity: TextTokens, request: PricedRequest): bigint {
  const body = request.bodyJson();
  const text = body === undefined ? body : (resolvePointer(body, quantity.pointer) ?? '');
  const characters = typeof text === 'string' ? codePoints(text) : request.bodyBytes;
  return divideUp(BigInt(characters), quantity.charactersPerToken) + answerCeiling(quantity.plus, body);
}

/** Unicode code points: what people call characters, whatever the encoding. */
function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    if (isLead(text.charCodeAt(index)) && isTrail(text.charCodeAt(index + 1))) {
      count--;
      index++;
    }
  }
  return count;
}

const isLead = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const isTrail = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;

function answerCeiling(plus: TextTokens['plus'], body: Json | undefined): bigint {
  if (plus === undefined) return 0n;
  if (body === undefined) return plus.maximum;
  const asked = resolvePointer(body, plus.pointer);
  if (asked === undefined || asked === null) return plus.default;
  if (typeof asked !== 'number' || !Number.isSafeInteger(asked) || asked < 0) return plus.maximum;
  return BigInt(asked) < plus.maximum ? BigInt(asked) : plus.maximum;
}
