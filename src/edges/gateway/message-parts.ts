import type { IncomingMessage } from 'node:http';
import type { MessageParts } from '../../domains/pricing/request/message-facts.js';
import { jsonOf } from '../../domains/pricing/request/priced-request.js';
import { queryReader } from '../../domains/pricing/request/query-text.js';
import { canonicalName, namedByConnection } from './upstream/headers.js';

/** A request as tariffs read it. @param query as sent, with its question mark, or empty */
export function messageParts(
  message: IncomingMessage,
  query: string,
  params: Readonly<Record<string, string>>,
  body: Buffer,
): MessageParts {
  return {
    bytes: body.byteLength,
    json: jsonOf(body),
    header(name) {
      const values = headerValues(message, name);
      return values.length > 1 ? null : values[0];
    },
    query: queryReader(query),
    path: (name) => (Object.hasOwn(params, name) ? params[name] : undefined),
  };
}

/**
 * Under every spelling that an upstream may take for the name: some cannot tell `_` and `-` apart. What `Connection` names
 * never reaches one, so it counts as absent: nobody pays for another request than the upstream sees.
 */
function headerValues({ headersDistinct, rawHeaders }: IncomingMessage, name: string): readonly string[] {
  if (namedByConnection(rawHeaders)?.has(canonicalName(name))) return [];
  return Object.entries(headersDistinct).flatMap(([other, values]) => {
    return other === name || canonicalName(other) === canonicalName(name) ? (values ?? []) : [];
  });
}
