import { checkTariff, parseTariff } from '../../src/domains/pricing/check-tariff.js';
import { urgencyOf } from '../../src/domains/pricing/modifiers/urgency.js';
import { eventsIn } from '../../src/domains/pricing/request/event-stream.js';
import type { EventsFact } from '../../src/domains/pricing/request/fact.js';
import type { MessageParts, ResponseParts } from '../../src/domains/pricing/request/message-facts.js';
import { jsonOf, type PricedRequest, pricedRequest } from '../../src/domains/pricing/request/priced-request.js';
import { queryReader } from '../../src/domains/pricing/request/query-text.js';
import { type Price, price } from '../../src/domains/pricing/tariff.js';
import type { TariffRules } from '../../src/domains/pricing/tariff.schemas.js';

/** A request as a test describes it. */
export interface Described {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly query?: string;
  readonly path?: Readonly<Record<string, string>>;
  readonly priority?: string;
  /** RFC 3339. */
  readonly at?: string;
  readonly load?: number;
  readonly used?: bigint;
  readonly class?: string;
  readonly response?: {
    readonly body?: string;
    readonly headers?: Described['headers'];
    readonly milliseconds?: number;
  };
}

export function described(request: Described): PricedRequest {
  const { at = '2026-11-25T12:00:00Z', load = 0, priority, response, used = 0n } = request;
  const circumstances = { urgency: urgencyOf(priority), at: Date.parse(at), load, used, class: request.class };
  return pricedRequest(circumstances, {
    request: partsOf(request),
    ...(response && { response: responseOf(response) }),
  });
}

function responseOf({ milliseconds = 0, ...said }: NonNullable<Described['response']>): ResponseParts {
  const parts = partsOf(said);
  const events = (fact: EventsFact) => eventsIn(Buffer.from(said.body ?? ''), parts.header('content-type'), fact);
  return { ...parts, milliseconds, trailer: parts.header, events };
}

/** @throws Problem for rules that must not be published */
export function priceOf(rules: TariffRules, request: Described = {}): Price {
  return price(parseTariff(rules), described(request));
}

export function amountOf(rules: TariffRules, request: Described = {}): bigint {
  return priceOf(rules, request).amount;
}

export function fieldsAtFault(rules: unknown): readonly string[] {
  return checkTariff(rules).map(({ field }) => field);
}

function partsOf({ body = '', headers = {}, path = {}, query = '' }: Described): MessageParts {
  const bytes = Buffer.from(body);
  return {
    bytes: bytes.byteLength,
    json: jsonOf(bytes),
    header(name) {
      const value = headers[name];
      return typeof value === 'string' || value === undefined ? value : null;
    },
    query: queryReader(query),
    path: (name) => path[name],
  };
}
