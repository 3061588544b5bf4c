/** What the API says instead of an answer. Members as in its documentation. */
export interface ErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
  readonly payment_intent?: object;
}

export class StripeError extends Error {
  constructor(
    readonly status: number,
    readonly error: ErrorBody,
  ) {
    super(error.message);
  }
}

export function invalid(message: string, code?: string, param?: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, code, param });
}

/** @param param of a body; without it the address itself names what is not there */
export function missing(what: string, id: string, param?: string): StripeError {
  const message = `No such ${what}: '${id}'`;
  return new StripeError(param ? 400 : 404, {
    type: 'invalid_request_error',
    message,
    code: 'resource_missing',
    param: param ?? 'id',
  });
}
