import type { Json } from '../../../base/shared/json.js';
import { ABSENT, type EventsFact, type Fact, UNREADABLE } from './fact.js';
import type { Field, Pointer, ResponseField } from './field.js';
import { resolvePointer } from './json-pointer.js';

/** Texts are `undefined` if absent, and `null` if they stand there twice: a server behind us could take either. */
export interface MessageParts {
  readonly bytes: number;
  /** `undefined` if the body is no JSON. */
  json(): Json | undefined;
  /** By lower-case name. */
  header(name: string): string | null | undefined;
  query(name: string): string | null | undefined;
  path(name: string): string | undefined;
}

export interface ResponseParts extends MessageParts {
  readonly milliseconds: number;
  /** By lower-case name; without it there are none. */
  trailer?(name: string): string | null | undefined;
  /** See `EventsFact`. */
  events(fact: EventsFact): string;
}

/** The request, and its response once there is one. */
export interface Messages {
  readonly request: MessageParts;
  readonly response?: ResponseParts;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,77})(?:\.[0-9]{1,30})?$/;

/** Reads a fact where it stands. */
export function readFact(fact: Fact, { request, response }: Messages): string {
  const message = fact.side === 'request' ? request : response;
  if (message === undefined) return ABSENT;
  switch (fact.kind) {
    case 'bytes':
      return `${message.bytes}`;
    case 'milliseconds':
      return `${response!.milliseconds}`;
    case 'characters':
      return `${charactersAt(fact.pointer, message)}`;
    case 'items':
      return itemsAt(fact.pointer, message);
    case 'number':
      return numberAt(fact.field, message);
    case 'events':
      return response!.events(fact);
    case 'equals': {
      const text = textAt(fact.field, message);
      return text === null ? UNREADABLE : `${text === fact.value}`;
    }
    case 'present': {
      const text = textAt(fact.field, message);
      return text === null ? UNREADABLE : `${text !== undefined}`;
    }
  }
}

/** Anything but a text, an unreadable body included, counts as long as the whole body: it is never the cheaper one. */
function charactersAt(pointer: Pointer, message: MessageParts): number {
  const body = message.json();
  const text = body === undefined ? body : (resolvePointer(body, pointer.tokens) ?? '');
  return typeof text === 'string' ? codePoints(text) : message.bytes;
}

/** Where no array can be read, the bytes of the body stand for it: no array of that length has more items. */
function itemsAt(pointer: Pointer, message: MessageParts): string {
  const unreadable = `${UNREADABLE}${message.bytes}`;
  const body = message.json();
  if (body === undefined) return unreadable;
  const value = resolvePointer(body, pointer.tokens);
  if (value === undefined || value === null) return ABSENT;
  return Array.isArray(value) ? `${value.length}` : unreadable;
}

function numberAt(field: ResponseField, message: MessageParts & Pick<Partial<ResponseParts>, 'trailer'>): string {
  if (field.in === 'trailer') return numberIn(message.trailer?.(field.name));
  if (field.in !== 'body') return numberIn(textAt(field, message));
  const body = message.json();
  if (body === undefined) return UNREADABLE;
  const value = resolvePointer(body, field.pointer.tokens);
  if (value === undefined || value === null) return ABSENT;
  if (typeof value === 'string') return DECIMAL.test(value) ? `"${value}"` : UNREADABLE;
  if (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER) return UNREADABLE;
  const text = `${value}`;
  return DECIMAL.test(text) ? text : UNREADABLE;
}

function numberIn(text: string | null | undefined): string {
  if (text === undefined) return ABSENT;
  return text !== null && DECIMAL.test(text) ? text : UNREADABLE;
}

/** Numbers and truth values of a JSON body as JSON writes them; objects and arrays cannot be read as a text. */
function textAt(field: Field, message: MessageParts): string | null | undefined {
  if (field.in === 'header') return message.header(field.name);
  if (field.in === 'query') return message.query(field.name);
  if (field.in === 'path') return message.path(field.name);
  const body = message.json();
  if (body === undefined) return null;
  const value = resolvePointer(body, field.pointer.tokens);
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? null : `${value}`;
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
