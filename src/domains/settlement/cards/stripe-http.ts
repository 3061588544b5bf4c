import type Stripe from 'stripe';
import { Agent, type Dispatcher, request } from 'undici';
import { openConnector, publicConnector } from '../../../base/platform/address-guard.js';

const CONNECT_MS = 5_000;
/** A page of a hundred charges with all that belongs to them takes less than a tenth of it. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/**
 * How the package reaches the processor: no redirect is followed, nothing is sent twice, no answer is longer than 8 MB, and the
 * whole of a request, its last byte included, has one time limit.
 */
export class StripeHttp implements Stripe.HttpClient {
  private readonly agent: Agent;

  /** @param allowPrivate may an address be none on the public Internet? */
  constructor(allowPrivate: boolean) {
    const connect = allowPrivate ? openConnector(CONNECT_MS) : publicConnector(CONNECT_MS);
    this.agent = new Agent({ connect, maxResponseSize: ANSWER_BYTES_MAX });
  }

  getClientName(): string {
    return 'undici';
  }

  async makeRequest(
    host: string,
    port: string | number,
    path: string,
    method: string,
    headers: object,
    body: string | Uint8Array,
    protocol: string,
    timeout: number,
  ): Promise<Stripe.HttpClientResponse> {
    try {
      const response = await request(`${protocol}://${host}:${port}${path}`, {
        dispatcher: this.agent,
        method: method as Dispatcher.HttpMethod,
        headers: headers as Record<string, string>,
        body: method === 'GET' ? null : body,
        signal: AbortSignal.timeout(timeout),
      });
      return new Answer(response.statusCode, response.headers as Record<string, string>, await response.body.text());
    } catch (error) {
      // Without its code: of some the package believes that they may be sent again.
      throw new Error((error as Error).message, { cause: error });
    }
  }

  /** Ends every request under way: what they came to is asked later. */
  stop(): Promise<void> {
    return this.agent.destroy();
  }
}

class Answer implements Stripe.HttpClientResponse {
  constructor(
    private readonly status: number,
    private readonly headers: Record<string, string>,
    private readonly body: string,
  ) {}

  getStatusCode(): number {
    return this.status;
  }

  getHeaders(): Record<string, string> {
    return this.headers;
  }

  getRawResponse(): object {
    return { statusCode: this.status };
  }

  toStream(): never {
    throw new Error('nothing is streamed');
  }

  async toJSON(): Promise<unknown> {
    return JSON.parse(this.body);
  }
}
