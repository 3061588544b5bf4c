import type { IncomingHttpHeaders } from 'node:http';
import { type ExactJson, JsonFault, parseExactJson } from '../../base/shared/exact-json.js';
import { Problem } from '../../base/shared/problem.js';

/** Events of one request. */
export const EVENTS_MAX = 5_000;
const TYPES = 'application/json with ce-* headers, application/cloudevents+json or application/cloudevents-batch+json';

/** One request of the CloudEvents 1.0 HTTP binding. */
export interface EventMessage {
  readonly headers: IncomingHttpHeaders;
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

export interface SentEvents {
  readonly form: 'binary' | 'structured' | 'batch';
  readonly events: readonly ExactJson[];
}

/** @throws Problem `unsupported_media_type`, `invalid_request`, `request_too_large` */
export function sentEvents(message: EventMessage): SentEvents {
  const [type = '', ...parameters] = (message.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(one)?.[1]).find(Boolean);
  if (charset !== undefined && charset !== 'utf-8') throw new Problem('unsupported_media_type', 'JSON is UTF-8');
  switch (type.trim()) {
    case 'application/cloudevents+json':
      return { form: 'structured', events: [parse(message.body)] };
    case 'application/cloudevents-batch+json':
      return { form: 'batch', events: listIn(parse(message.body)) };
    default:
      if (type.trim().startsWith('application/cloudevents') || message.headers['ce-specversion'] === undefined) {
        throw new Problem('unsupported_media_type', `Send ${TYPES}`);
      }
      return { form: 'binary', events: [binaryEvent(message)] };
  }
}

function listIn(value: ExactJson): readonly ExactJson[] {
  if (!Array.isArray(value))
    throw new Problem('invalid_request', 'A batch is a list of events', {}, [
      { detail: 'must be a list', pointer: '#' },
    ]);
  if (value.length > EVENTS_MAX) throw new Problem('request_too_large', `A batch has at most ${EVENTS_MAX} events`);
  return value as readonly ExactJson[];
}

/** Attributes are headers, the body is the data. */
function binaryEvent({ body, headers, rawHeaders }: EventMessage): ExactJson {
  const event: Record<string, ExactJson> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (!name.startsWith('ce-')) continue;
    const attribute = name.slice(3);
    if (Object.hasOwn(event, attribute)) throw new Problem('invalid_request', `${name} comes twice`);
    event[attribute] = textOf(name, rawHeaders[index + 1]!);
  }
  if (headers['content-type'] !== undefined) event.datacontenttype = headers['content-type'];
  if (body.byteLength > 0) event.data = parse(body);
  return event;
}

/** HTTP binding 1.0.2, section 3.1.3.2: quoted or not, then percent-decoded once. */
function textOf(name: string, value: string): string {
  const text = /^".*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
  if (!/^[\x20-\x7e]*$/.test(text))
    throw new Problem('invalid_request', `${name}: characters beyond ASCII are percent-encoded`);
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem('invalid_request', `${name}: is not percent-encoded UTF-8`);
  }
}

function parse(body: Uint8Array): ExactJson {
  try {
    return parseExactJson(body);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw new Problem('invalid_request', `body: ${error.message}`, {}, [{ detail: error.message, pointer: '#' }]);
  }
}
