import { getMaxListeners, setMaxListeners } from 'node:events';
import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { openConnector, publicConnector } from '../../../base/platform/address-guard.js';
import { Exchange } from './exchange.js';
import { upstreamRequestHeaders } from './headers.js';
import type { UpstreamAnswer, UpstreamFailure, UpstreamRequest } from './upstream.js';
import { addStamp } from './upstream-signature.js';

export interface UpstreamClientOptions {
  /** Time to resolve, connect and finish TLS, in milliseconds. */
  readonly connectMs: number;
  /** Open connections per origin; requests above it wait, within their total time. */
  readonly connectionsMax: number;
  /** Resolver for tenants that may call public addresses only; the system's unless given. */
  readonly lookup?: LookupFunction;
}

const defaults: UpstreamClientOptions = { connectMs: 5_000, connectionsMax: 256 };

/** Calls the providers' servers over kept connections. Redirects are passed on, bodies are not decompressed, nothing is sent twice. */
export class UpstreamClient {
  /** Two agents, so that a connection to a private address is never reused for a tenant without that permission. */
  readonly #open: Dispatcher;
  readonly #public: Dispatcher;

  constructor(options: Partial<UpstreamClientOptions> = {}) {
    const { connectMs, connectionsMax, lookup } = { ...defaults, ...options };
    this.#open = new Agent({ connect: openConnector(connectMs), connections: connectionsMax });
    this.#public = new Agent({ connect: publicConnector(connectMs, lookup), connections: connectionsMax });
  }

  /** Resolves with the whole of a small answer, or as soon as the head of a longer one is there. Never rejects for what an upstream does. */
  forward(request: UpstreamRequest): Promise<UpstreamAnswer | UpstreamFailure> {
    const headers = upstreamRequestHeaders(request.rawHeaders, request.passAuthorization);
    addStamp(headers, request.stamp, request.secret);
    headers.push('X-Request-Id', request.requestId);
    const agent = request.allowPrivate ? this.#open : this.#public;
    if (request.signal) expectManyListeners(request.signal);
    return new Promise((resolve) => {
      const exchange = new Exchange(request, resolve);
      agent.dispatch(
        {
          origin: request.origin,
          method: request.method,
          path: request.path,
          headers,
          body: request.body.length === 0 ? null : request.body,
          headersTimeout: request.timeouts.headers,
          bodyTimeout: request.timeouts.bodyIdle,
        },
        exchange,
      );
    });
  }

  /** Waits for running exchanges, then closes the connections. */
  async close(): Promise<void> {
    await Promise.all([this.#open.close(), this.#public.close()]);
  }
}

/** One signal serves all running exchanges; without this Node warns of a leak from the eleventh on. */
function expectManyListeners(signal: AbortSignal): void {
  if (getMaxListeners(signal) !== Number.POSITIVE_INFINITY) setMaxListeners(Number.POSITIVE_INFINITY, signal);
}
