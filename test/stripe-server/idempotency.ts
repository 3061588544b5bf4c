import { StripeError } from './stripe-error.js';

export interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Answers by key. Kept are those of requests that were begun, errors too; not those of requests that were not valid. */
export class Idempotency {
  private readonly known = new Map<string, { readonly print: string; answer?: Answer }>();

  /** The answer of a repetition, or nothing, and then the key is in use. Throws `StripeError`. */
  begin(key: string, print: string): Answer | undefined {
    const before = this.known.get(key);
    if (!before) {
      this.known.set(key, { print });
      return undefined;
    }
    if (before.print !== print) {
      const message =
        'Keys for idempotent requests can only be used with the same parameters they were first used with.';
      throw new StripeError(400, { type: 'idempotency_error', message });
    }
    if (!before.answer) {
      const message = 'There is currently another in-progress request using this Idempotent Key.';
      throw new StripeError(409, { type: 'idempotency_error', code: 'idempotency_key_in_use', message });
    }
    return before.answer;
  }

  /** @param answer without it, it is as if nothing had been asked */
  end(key: string, answer: Answer | undefined): void {
    if (!answer || [400, 401, 403, 404, 429].includes(answer.status)) this.known.delete(key);
    else this.known.get(key)!.answer = answer;
  }

  /** What happens to keys after a day. */
  forget(): void {
    this.known.clear();
  }
}
