import type { Json } from '../../../base/shared/json.js';
import type { Fact } from './fact.js';
import { type Messages, readFact } from './message-facts.js';

/** All that a price may depend on. */
export interface PricedRequest {
  /** 0 (most urgent) to 7, see `urgencyOf`. */
  readonly urgency: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Permille of the route's upstream concurrency in use: 0 to 1000, above when requests queue; 0 without a limit. */
  readonly load: number;
  /** Units that the payer used in the tariff's period before this request; `listPrice` where that is not known. */
  readonly used: bigint;
  /** The class that the caller chose by paying its offer; a class that the request itself names comes first. */
  readonly class?: string;
  /** See `Fact` for what a reading says. */
  read(fact: Fact): string;
}

export type Circumstances = Omit<PricedRequest, 'read'>;

/** A request as tariffs see it. Texts and bodies are read only if a tariff looks at them. */
export function pricedRequest(circumstances: Circumstances, messages: Messages): PricedRequest {
  const { urgency, at, load, used } = circumstances;
  return { urgency, at, load, used, class: circumstances.class, read: (fact) => readFact(fact, messages) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The body as JSON, or `undefined` if it is none; parsed when first asked for, once. */
export function jsonOf(body: Uint8Array): () => Json | undefined {
  let parsed: { readonly value: Json | undefined } | undefined;
  return () => {
    parsed ??= { value: parse(body) };
    return parsed.value;
  };
}

function parse(body: Uint8Array): Json | undefined {
  try {
    return JSON.parse(utf8.decode(body)) as Json;
  } catch {
    return undefined;
  }
}
