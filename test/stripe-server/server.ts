import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Account, API_VERSION, type Asked, newId } from './account.js';
import { type Desk, orders } from './control.js';
import { type FailureKind, takeFailure } from './failures.js';
import { parseForm, textOf } from './form.js';
import { type Answer, Idempotency } from './idempotency.js';
import { expanded } from './lists.js';
import { answer, type Request } from './routes.js';
import { StripeError } from './stripe-error.js';
import { Webhooks } from './webhooks.js';

const INTERNAL: Answer = {
  status: 500,
  body: { error: { type: 'api_error', message: 'An unknown error occurred' } },
};

type Open = Desk & { readonly held: (() => void)[] };

/** A part of the processor's HTTP API that keeps its own book, and fails where it is told to. */
export class StripeServer {
  private readonly desks = new Map<string, Open>();

  listen(port: number): Promise<Server> {
    const server = createServer((request, reply) => void this.serve(request, reply).catch(() => reply.destroy()));
    return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
  }

  private async serve(incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
    const raw = Buffer.concat(await incoming.toArray());
    const { pathname, search } = new URL(incoming.url!, 'http://localhost');
    const secretKey = incoming.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (pathname.startsWith('/_control/'))
      return this.order(pathname.slice('/_control/'.length), secretKey, raw, reply);
    const desk = this.desks.get(secretKey);
    if (!desk) return send(reply, refusal(401, 'Invalid API Key provided'));
    const form = parseForm(incoming.method === 'GET' ? search.slice(1) : isForm(incoming) ? raw.toString() : '');
    const key = incoming.headers['idempotency-key'] as string | undefined;
    const asked: Asked = { method: incoming.method!, path: pathname, key };
    desk.account.asked.push(asked);
    await this.take(desk, { method: incoming.method!, path: pathname, form, raw }, asked, reply);
  }

  private async take(desk: Open, request: Request, asked: Asked, reply: ServerResponse): Promise<void> {
    const { method, path } = request;
    const key = method === 'POST' ? asked.key : undefined;
    const tell = (told: Answer, replayed = false) => {
      asked.status = told.status;
      if (replayed) asked.replayed = true;
      send(reply, told, key, replayed);
    };
    const before = key === undefined ? undefined : begun(desk, key, request);
    if (before) return tell(before.answer, before.replayed);
    const { kept, said } = await outcome(desk, request, takeFailure(desk.account.failures, method, path));
    if (key !== undefined) desk.keys.end(key, kept);
    if (kept && said === 'answer') tell(kept);
    else if (said === 'break off') reply.destroy();
    else if (said === 'stall') reply.writeHead(200, { 'content-type': 'application/json' }).write('{"id": "');
    else reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
  }

  private async order(name: string, secretKey: string, raw: Buffer, reply: ServerResponse): Promise<void> {
    const body = raw.length > 0 ? JSON.parse(raw.toString()) : {};
    if (name === 'open_account') return this.open(secretKey, body.webhookSecret, reply);
    const desk = this.desks.get(secretKey);
    const order = orders[name as keyof typeof orders] as ((desk: Desk, body: object) => unknown) | undefined;
    if (!desk || !order) return send(reply, refusal(404, `no ${name} here`));
    try {
      send(reply, { status: 200, body: ((await order(desk, body)) ?? {}) as object });
    } catch (error) {
      send(reply, errorAnswer(error));
    }
  }

  private open(secretKey: string, webhookSecret: string, reply: ServerResponse): void {
    const held: (() => void)[] = [];
    const release = () => {
      for (const resolve of held.splice(0)) resolve();
    };
    const account = new Account(secretKey, new Webhooks(webhookSecret));
    this.desks.set(secretKey, { account, keys: new Idempotency(), held, release });
    send(reply, { status: 200, body: {} });
  }
}

/** What was told before under this key, or why it cannot be used; nothing for a new one. */
function begun({ keys }: Open, key: string, request: Request): { answer: Answer; replayed: boolean } | undefined {
  try {
    const answer = keys.begin(key, print(request));
    return answer && { answer, replayed: true };
  } catch (error) {
    return { answer: errorAnswer(error), replayed: false };
  }
}

interface Outcome {
  /** Under the key; nothing if it is as if nobody had asked. */
  readonly kept?: Answer;
  readonly said: 'answer' | 'break off' | 'stall' | 'bad gateway';
}

async function outcome(desk: Open, request: Request, failure: FailureKind | undefined): Promise<Outcome> {
  switch (failure) {
    case 'fail':
      return { kept: INTERNAL, said: 'answer' };
    case 'do_then_fail':
      done(desk, request);
      return { kept: INTERNAL, said: 'answer' };
    case 'break_off':
      return { said: 'break off' };
    case 'do_then_break_off':
      return { kept: done(desk, request), said: 'break off' };
    case 'hold':
      await new Promise<void>((resolve) => desk.held.push(resolve));
      return { kept: done(desk, request), said: 'answer' };
    case 'do_then_stall':
      return { kept: done(desk, request), said: 'stall' };
    case 'bad_gateway':
      return { said: 'bad gateway' };
    case 'rate_limit':
      return { kept: refusal(429, 'Request rate limit exceeded.', 'rate_limit'), said: 'answer' };
    case 'unauthorized':
      return { kept: refusal(401, 'Expired API Key provided', 'api_key_expired'), said: 'answer' };
    case 'forbidden':
      return { kept: refusal(403, 'The provided key does not have the required permissions'), said: 'answer' };
    default:
      return { kept: done(desk, request), said: 'answer' };
  }
}

function done({ account }: Desk, request: Request): Answer {
  try {
    return { status: 200, body: expanded(account, answer(account, request), request.form.expand) };
  } catch (error) {
    return errorAnswer(error);
  }
}

function errorAnswer(error: unknown): Answer {
  if (!(error instanceof StripeError)) throw error;
  return { status: error.status, body: { error: error.error } };
}

function refusal(status: number, message: string, code?: string): Answer {
  return { status, body: { error: { type: 'invalid_request_error', message, code } } };
}

function isForm({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
}

/** Boundaries of multipart bodies are new each time; of those only what they are for is compared. */
function print({ form, path, raw }: Request): string {
  return JSON.stringify([path, form, textOf(form, 'purpose') ?? (Object.keys(form).length > 0 ? '' : raw.length)]);
}

function send(reply: ServerResponse, { body, status }: Answer, key?: string, replayed = false): void {
  if (reply.destroyed) return;
  reply.writeHead(status, {
    'content-type': 'application/json',
    'request-id': newId('req'),
    'stripe-version': API_VERSION,
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  });
  reply.end(JSON.stringify(body));
}
