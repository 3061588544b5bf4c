import type { HeaderPair } from './headers.js';
import type { PaymentStamp } from './upstream-signature.js';

/** All in milliseconds. Timeouts above one second are kept to within half a second. */
export interface UpstreamTimeouts {
  /** From the sent request to the answer's head. */
  readonly headers: number;
  /** Between two pieces of the body. */
  readonly bodyIdle: number;
  /** For the whole exchange, time spent waiting for a slow buyer not counted. */
  readonly total: number;
}

export interface UpstreamRequest {
  /** Scheme, host and port, without a path. */
  readonly origin: string;
  /** An operator's permission to call addresses that are not public. */
  readonly allowPrivate: boolean;
  readonly method: string;
  /** Path and query, rebuilt from the route match. */
  readonly path: string;
  /** The buyer's headers as received: a flat name, value list. */
  readonly rawHeaders: readonly string[];
  readonly passAuthorization: boolean;
  readonly body: Buffer;
  readonly requestId: string;
  readonly stamp: PaymentStamp;
  /** The tenant's upstream secret, which signs the stamp. */
  readonly secret: string;
  readonly timeouts: UpstreamTimeouts;
  /** Ends the exchange as `aborted`; for shutting down, not for a buyer that left. */
  readonly signal?: AbortSignal;
}

export type UpstreamFailureReason =
  /** Nothing was sent: no address, no connection, TLS refused. */
  | 'upstream_unreachable'
  | 'upstream_timeout'
  /** The request was sent, but no complete HTTP answer came back. */
  | 'upstream_broke_off'
  | 'upstream_forbidden'
  | 'aborted';

export interface UpstreamFailure {
  readonly kind: 'failed';
  readonly failed: UpstreamFailureReason;
  /** For the log. */
  readonly cause?: Error;
}

interface AnswerHead {
  readonly status: number;
  /** What the buyer may see of the upstream's headers. */
  readonly headers: readonly HeaderPair[];
}

/** An answer that was read to its end before anybody sees it: declared as 64 KiB or less, or without a body. */
export interface WholeAnswer extends AnswerHead {
  readonly kind: 'whole';
  readonly body: Buffer;
}

/** An answer that is longer, or of unknown length. Read it to its end or discard it. */
export interface StreamedAnswer extends AnswerHead {
  readonly kind: 'streamed';
  /** Bytes to come, if declared. */
  readonly contentLength: number | undefined;
  readonly body: AnswerStream;
}

export type UpstreamAnswer = WholeAnswer | StreamedAnswer;

export interface AnswerStream {
  /** The next piece as soon as it is there. One call at a time. After `end` or a failure it says the same again. */
  next(): Promise<Buffer | 'end' | UpstreamFailure>;
  /** What came behind the body (RFC 9110, section 6.5); none before its end. Not passed on. */
  trailers(): readonly HeaderPair[];
  /** Gives the rest up and closes the connection; `next` then says `aborted`. */
  discard(): void;
}
