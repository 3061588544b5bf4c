/** Where a request goes wrong. `do…`: it is done all the same, as the book shows. */
export const failureKinds = [
  /** Answers 500 before anything is done; asked again with the same key, it says 500 again. */
  'fail',
  /** Done, but the answer, then and later, is 500. */
  'do_then_fail',
  /** The connection is closed before anything is done. */
  'break_off',
  'do_then_break_off',
  /** Runs until `release`, and is done then, whether or not somebody still waits. */
  'hold',
  /** Half an answer, and then nothing more. */
  'do_then_stall',
  /** What stands before the API says 502, in HTML. */
  'bad_gateway',
  'rate_limit',
  'unauthorized',
  'forbidden',
] as const;
export type FailureKind = (typeof failureKinds)[number];

export interface Failure {
  /** Method and beginning of the path: `POST /v1/payment_intents`. */
  readonly on: string;
  readonly kind: FailureKind;
}

/** The next failure that is meant for this request, taken off the list. */
export function takeFailure(failures: Failure[], method: string, path: string): FailureKind | undefined {
  const place = failures.findIndex(({ on }) => `${method} ${path}`.startsWith(on));
  return place < 0 ? undefined : failures.splice(place, 1)[0]!.kind;
}
