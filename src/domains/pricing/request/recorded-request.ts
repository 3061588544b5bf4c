import { ABSENT, nameOfFact } from './fact.js';
import type { PricedRequest } from './priced-request.js';

/** A tariff looks at something that was not recorded of a request: it cannot be priced, and nothing is guessed. */
export class NotRecorded extends Error {
  /** @param input name of the fact or circumstance */
  constructor(readonly input: string) {
    super(`${input} was not recorded`);
  }
}

/** Recorded as `used` of a request that was priced without knowing its payer. */
export const USED_UNKNOWN = 'unknown';

/** What is kept of a request that was paid. */
export interface Recorded {
  readonly urgency?: number;
  readonly class?: string;
  readonly inputs?: Readonly<Record<string, string>>;
}

/**
 * A request of the past. Whatever a price looks at and nobody recorded throws `NotRecorded`.
 * @param usable whether its recorded usage was counted in the units of the tariff that asks
 */
export function recordedRequest({ inputs = {}, urgency, ...recorded }: Recorded, usable: boolean): PricedRequest {
  return {
    get urgency() {
      if (urgency === undefined) throw new NotRecorded('urgency');
      return urgency;
    },
    get at() {
      return Number(inputs.at ?? missing('at'));
    },
    get load() {
      return Number(inputs.load ?? missing('load'));
    },
    get used() {
      return BigInt((usable ? inputs.used : undefined) ?? missing('used'));
    },
    class: recorded.class,
    read(fact) {
      const name = nameOfFact(fact);
      // The amount was signed before there was a response.
      return fact.side === 'response' ? ABSENT : (inputs[name] ?? missing(name));
    },
  };
}

function missing(input: string): never {
  throw new NotRecorded(input);
}
