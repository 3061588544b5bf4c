import { setMaxListeners } from 'node:events';
import { Agent, type Dispatcher, request } from 'undici';
import { ForbiddenAddress, openConnector, publicConnector } from '../../../base/platform/address-guard.js';
import type { JsonObject } from '../../../base/shared/json.js';
import type { HttpAnswer } from './facilitator-answer.js';
import type { TenantsFacilitator } from './tenants-facilitator.js';

const CONNECT_MS = 3_000;
const ANSWER_BYTES_MAX = 64 * 1024;

/** Where and how a facilitator is asked for a tenant. */
export interface Endpoint extends TenantsFacilitator {
  /** Of the header field; secret. */
  readonly authorization?: string | undefined;
  /** For the whole of a request, connecting and the last byte included. */
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}

/** Asks facilitators over HTTP. No redirect is followed, nothing is sent twice, and no answer is longer than 64 KB. */
export class FacilitatorClient {
  /** Two agents, so that a connection to a private address is never used by who may not. */
  private readonly open = new Agent({ connect: openConnector(CONNECT_MS) });
  private readonly public = new Agent({ connect: publicConnector(CONNECT_MS) });
  private readonly stopping = new AbortController();

  constructor() {
    // Every request under way listens.
    setMaxListeners(Number.POSITIVE_INFINITY, this.stopping.signal);
  }

  /** Never rejects. */
  async send(endpoint: Endpoint, path: 'settle' | 'verify' | 'supported', body?: JsonObject): Promise<HttpAnswer> {
    const { allowPrivate, authorization, timeoutMs, url } = endpoint;
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const response = await request(`${url}/${path}`, {
        dispatcher: allowPrivate ? this.open : this.public,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal,
      });
      return { kind: 'answered', status: response.statusCode, body: await textOf(response) };
    } catch (error) {
      return failureOf(error as NodeJS.ErrnoException);
    }
  }

  /** Ends every request under way; what they came to is found on the chain. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.open.destroy(), this.public.destroy()]);
  }
}

async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Errors after which not one byte of the request was sent. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function failureOf(error: NodeJS.ErrnoException): HttpAnswer {
  const unsent = error instanceof ForbiddenAddress || BEFORE_SENDING.has(error.code ?? '');
  return { kind: unsent ? 'unreachable' : 'broken', detail: error.message || error.code || error.name };
}
