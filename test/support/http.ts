import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Call {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Address that it comes from, such as `127.0.0.2`: all of 127.0.0.0/8 is this machine. */
  readonly from?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. Unlike `fetch` it sends any header, `Host` included. */
export async function send(call: Call): Promise<Reply> {
  const message = await open(call);
  let body = '';
  for await (const piece of message.setEncoding('utf8')) body += piece;
  return { status: message.statusCode!, headers: message.headers, body };
}

/** Resolves with the head of the answer; its body is the caller's to read, or to break off with `destroy`. */
export async function open({ url, method = 'GET', headers = {}, body, from }: Call): Promise<IncomingMessage> {
  const sent = httpRequest(url, { method, headers, agent: false, localAddress: from });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.end(body);
  const [message] = await answered;
  return message;
}

/** The `code` of a problem, of whatever status. */
export function codeOf({ body, headers }: Reply): string {
  if (headers['content-type'] !== 'application/problem+json') throw new Error(`no problem: ${body.slice(0, 200)}`);
  return (JSON.parse(body) as { code: string }).code;
}

/** A `fetch` for clients, which reaches a tenant by its host; the body of a request is not sent. */
export function fetchAt(host: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const headers = { ...Object.fromEntries(request.headers), host };
    const reply = await send({ url: request.url, method: request.method, headers });
    const answered = Object.entries(reply.headers).map(([name, value]): [string, string] => [name, String(value)]);
    return new Response(reply.body, { status: reply.status, headers: answered });
  };
}
