import type { Json } from '../../base/shared/json.js';
import { urgencyOf } from './priority.js';
import type { PricedRequest } from './quantity.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A request as tariffs see it, from its `Priority` field value and its body. The body is parsed at most once, and only if a tariff looks inside. */
export function pricedRequest(priority: string | undefined, body: Uint8Array): PricedRequest {
  let parsed: { readonly value: Json | undefined } | undefined;
  return {
    urgency: urgencyOf(priority),
    bodyBytes: body.byteLength,
    bodyJson() {
      parsed ??= { value: parse(body) };
      return parsed.value;
    },
  };
}

function parse(body: Uint8Array): Json | undefined {
  try {
    return JSON.parse(utf8.decode(body)) as Json;
  } catch {
    return undefined;
  }
}
