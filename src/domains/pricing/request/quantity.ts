import { assertNever } from '../../../base/shared/assert-never.js';
import { divideUp, lesser } from '../fraction.js';
import { ABSENT, type EventsFact, type Fact, UNREADABLE } from './fact.js';
import type { PricedRequest } from './priced-request.js';
import type { Quantity } from './quantity.schemas.js';

type TextTokens = Extract<Quantity, { source: 'text_tokens' }>;

interface Bounds {
  readonly default: bigint;
  readonly maximum: bigint;
}

const MS_PER_SECOND = 1000n;
const REQUEST_BYTES: Fact = { kind: 'bytes', side: 'request' };

/** Units of one charge, never negative. What cannot be read is never the cheaper request. */
export function unitsOf(quantity: Quantity, request: PricedRequest): bigint {
  const read = (fact: Fact) => request.read(fact);
  switch (quantity.source) {
    case 'declared':
      return quantity.units;
    case 'request_bytes':
      return BigInt(read(REQUEST_BYTES));
    case 'items':
      return itemsOf(read({ kind: 'items', side: 'request', pointer: quantity.pointer }), quantity.default);
    case 'field': {
      const text = read({ kind: 'number', side: 'request', field: quantity.field });
      return stated(text, quantity, decimalsOf(quantity));
    }
    case 'text_tokens':
      return textTokens(quantity, request);
    case 'response_bytes':
      return upTo(quantity.maximum, read({ kind: 'bytes', side: 'response' }));
    case 'response_seconds': {
      const text = read({ kind: 'milliseconds', side: 'response' });
      return text === ABSENT ? quantity.maximum : lesser(divideUp(BigInt(text), MS_PER_SECOND), quantity.maximum);
    }
    case 'response_items':
      return upTo(quantity.maximum, read({ kind: 'items', side: 'response', pointer: quantity.pointer }));
    case 'response_field': {
      const { field, maximum } = quantity;
      return stated(
        read({ kind: 'number', side: 'response', field }),
        { default: maximum, maximum },
        quantity.decimals,
      );
    }
    case 'response_events':
      return upTo(quantity.maximum, read(eventsFact(quantity)));
    default:
      return assertNever(quantity);
  }
}

export function eventsFact({ aggregation, pointer }: Extract<Quantity, { source: 'response_events' }>): EventsFact {
  return { kind: 'events', side: 'response', aggregation, ...(pointer && { pointer }) };
}

const keys = new WeakMap<Quantity, string>();

/** The same text for quantities that count the same. */
export function quantityKey(quantity: Quantity): string {
  let key = keys.get(quantity);
  if (key === undefined) {
    key = JSON.stringify(quantity, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
    keys.set(quantity, key);
  }
  return key;
}

/** Texts of the URL and of headers are all there is; a JSON body can tell numbers and texts apart. */
function decimalsOf({ decimals, field }: Extract<Quantity, { source: 'field' }>): number | undefined {
  return decimals ?? (field.in === 'body' ? undefined : 0);
}

/**
 * The number stated, in units of `decimals` places, rounded up. Out of range, or unreadable, it is the maximum.
 * Without `decimals` only a whole JSON number will do.
 */
function stated(text: string, { default: absent, maximum }: Bounds, decimals: number | undefined): bigint {
  if (text === ABSENT) return absent;
  if (text === UNREADABLE) return maximum;
  if (decimals === undefined) return /^[0-9]+$/.test(text) ? lesser(BigInt(text), maximum) : maximum;
  const [units = '', digits = ''] = text.replaceAll('"', '').split('.');
  const finer = BigInt(units + digits.padEnd(decimals, '0'));
  const scale = 10n ** BigInt(Math.max(digits.length - decimals, 0));
  return lesser(divideUp(finer, scale), maximum);
}

function textTokens({ charactersPerToken, plus, pointer }: TextTokens, request: PricedRequest): bigint {
  const characters = BigInt(request.read({ kind: 'characters', side: 'request', pointer }));
  const tokens = divideUp(characters, charactersPerToken);
  if (plus === undefined) return tokens;
  const field = { in: 'body', pointer: plus.pointer } as const;
  return tokens + stated(request.read({ kind: 'number', side: 'request', field }), plus, undefined);
}

function itemsOf(text: string, absent: bigint): bigint {
  if (text === ABSENT) return absent;
  if (!text.startsWith(UNREADABLE)) return BigInt(text);
  const bytes = BigInt(text.slice(UNREADABLE.length));
  return bytes > absent ? bytes : absent;
}

function upTo(maximum: bigint, text: string): bigint {
  return text === ABSENT || text.startsWith(UNREADABLE) ? maximum : lesser(BigInt(text), maximum);
}
