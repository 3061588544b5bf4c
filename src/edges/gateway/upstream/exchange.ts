import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { ForbiddenAddress } from '../../../base/platform/address-guard.js';
import { buyerAnswerHeaders, type HeaderPair } from './headers.js';
import type {
  AnswerStream,
  UpstreamAnswer,
  UpstreamFailure,
  UpstreamFailureReason,
  UpstreamRequest,
} from './upstream.js';

/** Declared bodies up to this many bytes are read whole before the answer is handed over. */
export const WHOLE_BYTES_MAX = 64 * 1024;
/** A stream that nobody reads is paused above this many waiting bytes. */
const WAITING_BYTES_MAX = 64 * 1024;
const EMPTY = Buffer.alloc(0);

type Settle<T> = (value: T) => void;

/** One request to an upstream and its answer. Undici calls it as the bytes come; the reader pulls from it. */
export class Exchange implements Dispatcher.DispatchHandler, AnswerStream {
  readonly #request: UpstreamRequest;
  readonly #settle: Settle<UpstreamAnswer | UpstreamFailure>;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders | undefined;
  #trailers: IncomingHttpHeaders = {};
  #streaming = false;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #reader: Settle<Buffer | 'end' | UpstreamFailure> | undefined;
  #over: 'end' | UpstreamFailure | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerSetAt = 0;
  #remainingMs: number;
  readonly #onAbort = (): void => this.#fail('aborted');

  constructor(request: UpstreamRequest, settle: Settle<UpstreamAnswer | UpstreamFailure>) {
    this.#request = request;
    this.#settle = settle;
    this.#remainingMs = request.timeouts.total;
    this.#startClock();
    if (request.signal?.aborted) this.#fail('aborted');
    else request.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  next(): Promise<Buffer | 'end' | UpstreamFailure> {
    const chunk = this.#chunks.shift();
    if (chunk) {
      this.#waitingBytes -= chunk.length;
      if (this.#waitingBytes === 0 && this.#controller?.paused) this.#resume(this.#controller);
      return Promise.resolve(chunk);
    }
    if (this.#over) return Promise.resolve(this.#over);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  trailers(): readonly HeaderPair[] {
    return Object.entries(this.#trailers).flatMap(([name, value = []]) =>
      [value].flat().map((one): HeaderPair => [name, one]),
    );
  }

  discard(): void {
    this.#chunks = [];
    this.#fail('aborted');
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('given up while waiting for a connection'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const length = this.#bodyLength(status, headers);
    if (length !== undefined && length <= WHOLE_BYTES_MAX) return;
    this.#streaming = true;
    const head = { status, headers: buyerAnswerHeaders(headers) };
    this.#settle({ kind: 'streamed', ...head, contentLength: length, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const reader = this.#reader;
    if (reader) {
      this.#reader = undefined;
      reader(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#streaming && this.#waitingBytes > WAITING_BYTES_MAX) this.#pause(controller);
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#over) return;
    this.#trailers = trailers;
    this.#finish('end');
    if (this.#streaming) return;
    const chunks = this.#chunks;
    const body = chunks.length === 1 ? chunks[0]! : chunks.length === 0 ? EMPTY : Buffer.concat(chunks);
    this.#settle({ kind: 'whole', status: this.#status, headers: buyerAnswerHeaders(this.#headers ?? {}), body });
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    this.#fail(this.#reasonOf(cause), cause);
  }

  #bodyLength(status: number, headers: IncomingHttpHeaders): number | undefined {
    if (this.#request.method === 'HEAD' || status === 204 || status === 304) return 0;
    const declared = headers['content-length'];
    if (declared === undefined || headers['transfer-encoding'] !== undefined) return undefined;
    return Number(declared);
  }

  #reasonOf(cause: Error): UpstreamFailureReason {
    if (cause instanceof ForbiddenAddress) return 'upstream_forbidden';
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'upstream_timeout';
    return this.#controller ? 'upstream_broke_off' : 'upstream_unreachable';
  }

  #fail(failed: UpstreamFailureReason, cause?: Error): void {
    if (this.#over) return;
    const failure: UpstreamFailure = { kind: 'failed', failed, cause };
    this.#finish(failure);
    if (!this.#streaming) this.#settle(failure);
    this.#controller?.abort(cause ?? new Error(failed));
  }

  /** Chunks that came before stay readable; the verdict comes after them. */
  #finish(over: 'end' | UpstreamFailure): void {
    this.#over = over;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.(over);
  }

  #startClock(): void {
    this.#timerSetAt = performance.now();
    this.#timer = setTimeout(() => this.#fail('upstream_timeout'), this.#remainingMs);
  }

  /** The total time stands still meanwhile: a slow buyer is not the upstream's fault. */
  #pause(controller: Dispatcher.DispatchController): void {
    if (controller.paused) return;
    controller.pause();
    clearTimeout(this.#timer);
    this.#remainingMs = Math.max(1, this.#remainingMs - (performance.now() - this.#timerSetAt));
  }

  #resume(controller: Dispatcher.DispatchController): void {
    if (!this.#over) this.#startClock();
    controller.resume();
  }
}
