import type { Field, Pointer, ResponseField } from './field.js';
import { nameOfField } from './field.js';

type Side = 'request' | 'response';

/**
 * One thing about a request that a price may look at. A reading is a short text: what is recorded of a paid request,
 * so that it can be priced again under another tariff. No text of the request itself is ever a reading, only numbers
 * and whether it is one that the tariff names.
 */
export type Fact =
  /** Digits. Of a response that is not there yet: `""`, as for the other facts of responses. */
  | { readonly kind: 'bytes'; readonly side: Side }
  | { readonly kind: 'milliseconds'; readonly side: 'response' }
  /** Code points of a text of the JSON body, as digits. */
  | { readonly kind: 'characters'; readonly side: 'request'; readonly pointer: Pointer }
  /** Length of an array of the JSON body, as digits; `""` if it is absent; `"?"` and the bytes of the body if there is none. */
  | { readonly kind: 'items'; readonly side: Side; readonly pointer: Pointer }
  /** A decimal number, in quotes if the JSON body has it as a text; `""` if absent, `"?"` if it is no such number. */
  | { readonly kind: 'number'; readonly side: Side; readonly field: ResponseField }
  /** Digits; `"?"` if an event states no whole number, or the response is no stream of events. */
  | EventsFact
  /** `"true"`, `"false"`, or `"?"` if the place cannot be read. */
  | { readonly kind: 'equals'; readonly side: 'request'; readonly field: Field; readonly value: string }
  | { readonly kind: 'present'; readonly side: 'request'; readonly field: Field };

/** What the events of a streamed response add up to. */
export interface EventsFact {
  readonly kind: 'events';
  readonly side: 'response';
  readonly pointer?: Pointer;
  readonly aggregation: 'sum' | 'max';
}

export const ABSENT = '';
export const UNREADABLE = '?';

/** Canonical name, the same for the same fact in every tariff: the key of its reading. */
export function nameOfFact(fact: Fact): string {
  const side = `${fact.side}_`;
  switch (fact.kind) {
    case 'bytes':
    case 'milliseconds':
      return side + fact.kind;
    case 'characters':
    case 'items':
      return `${side + fact.kind}:${fact.pointer.text}`;
    case 'equals':
      return `${side + fact.kind}:${nameOfField(fact.field)}=${fact.value}`;
    case 'events':
      return `${side + fact.kind}:${fact.aggregation}:${fact.pointer?.text ?? ''}`;
    default:
      return `${side + fact.kind}:${nameOfField(fact.field)}`;
  }
}
