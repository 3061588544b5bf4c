import { z } from 'zod';
import type { Json } from '../../base/shared/json.js';
import { Problem } from '../../base/shared/problem.js';
import type { Catalogue } from '../../domains/pricing/catalogue.js';
import type { Route, Tenant } from '../../domains/pricing/catalogue.schemas.js';
import { eventsIn } from '../../domains/pricing/request/event-stream.js';
import type { EventsFact } from '../../domains/pricing/request/fact.js';
import type { MessageParts, Messages, ResponseParts } from '../../domains/pricing/request/message-facts.js';
import { jsonOf } from '../../domains/pricing/request/priced-request.js';
import { queryReader } from '../../domains/pricing/request/query-text.js';

const BODY_MAX = 1_000_000;

const headers = z
  .record(z.string().toLowerCase().max(100), z.union([z.string().max(8192), z.array(z.string().max(8192)).max(8)]))
  .default({});
/** A text is sent as it is, anything else as JSON. */
const body = z
  .json()
  .optional()
  .transform((value) => Buffer.from(bodyText(value)))
  .refine((bytes) => bytes.byteLength <= BODY_MAX, `is above ${BODY_MAX} bytes`);

/** A request as somebody describes it, to be told its price. */
export const describedRequest = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
  /** As sent, without the query; may be left away if the route's pattern has no parameter. */
  path: z.string().max(2048).optional(),
  /** As sent, with or without its question mark. */
  query: z
    .string()
    .max(8192)
    .default('')
    .transform((text) => text.replace(/^\?/, '')),
  headers,
  body,
});

/** The answer to it: without one, quantities of the response count their maximum. */
export const describedResponse = z.strictObject({ headers, body, milliseconds: z.int().min(0).default(0) });

type DescribedRequest = z.output<typeof describedRequest>;
type DescribedResponse = z.output<typeof describedResponse>;

/** @throws Problem if the route does not serve the request */
export function messagesOf(
  request: DescribedRequest,
  response: DescribedResponse | undefined,
  route: Route,
  tenant: Tenant,
  catalogue: Catalogue,
): Messages {
  // A pattern with parameters is no path.
  const { method = route.methods[0]!, path = route.pattern.includes('/:') ? '' : route.pattern } = request;
  const match = catalogue.match(tenant.host, method, path);
  if (match === undefined || match === 'method_not_allowed' || match.route.id !== route.id) {
    const detail = `request: ${method} ${path} is not served by route ${route.id}`;
    throw new Problem('invalid_request', detail, {}, [{ detail, pointer: '#/request/path' }]);
  }
  return {
    request: { ...partsOf(request), query: queryReader(request.query), path: (name) => match.params[name] },
    ...(response && { response: responseOf(response) }),
  };
}

function responseOf({ milliseconds, ...said }: DescribedResponse): ResponseParts {
  const parts = partsOf(said);
  const events = (fact: EventsFact) => eventsIn(said.body, parts.header('content-type'), fact);
  // Who describes a response has no use for telling headers and trailers apart.
  return { ...parts, milliseconds, trailer: parts.header, events };
}

function partsOf({ body: bytes, headers: fields }: Pick<DescribedRequest, 'body' | 'headers'>): MessageParts {
  return {
    bytes: bytes.byteLength,
    json: jsonOf(bytes),
    header(name) {
      const values = [fields[name] ?? []].flat();
      return values.length > 1 ? null : values[0];
    },
    query: () => undefined,
    path: () => undefined,
  };
}

function bodyText(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
