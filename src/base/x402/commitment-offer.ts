import type { JsonObject } from '../shared/json.js';

/** The scheme of x402 whose value moves later: a signed request is owed now and invoiced at the period's end. */
export const COMMITMENT_SCHEME = 'batch-settlement';
/** Not a chain: commitments of this binding are redeemed by the seller's invoice. */
export const COMMITMENT_NETWORK = 'tollbook:402';
/** Of the binding, in `extra.version`. */
const BINDING_VERSION = '1.0.0';
/** What the signature of a commitment says that it is for (RFC 9421 section 2.3), so that none made for something else counts. */
export const COMMITMENT_TAG = 'tollbook-commitment';

/** To pay later: the most that a request can cost is owed to the seller under an account of the buyer's. */
export interface CommitmentTerms {
  /** ISO 4217. */
  readonly currency: string;
  /** Decimal places of the currency that one unit of `amount` stands for: 6 means millionths. */
  readonly decimals: number;
  /** Id of the tenant. */
  readonly payTo: string;
  readonly maxTimeoutSeconds: number;
}

export interface CommitmentAccept extends CommitmentTerms {
  /** The maximum, in those units: what is charged may be less. */
  readonly amount: bigint;
  readonly quote: string;
  /** What else the client has to echo. */
  readonly echo?: JsonObject | undefined;
}

/** An element of `accepts`, after those of `exact`: official clients take the first that they know. */
export function commitmentAccept(accept: CommitmentAccept): JsonObject {
  const { amount, currency, decimals, echo, maxTimeoutSeconds, payTo, quote } = accept;
  return {
    scheme: COMMITMENT_SCHEME,
    network: COMMITMENT_NETWORK,
    asset: currency,
    amount: amount.toString(),
    payTo,
    maxTimeoutSeconds,
    extra: { version: BINDING_VERSION, decimals, quote, ...echo },
  };
}

/** The extension that says how a commitment is signed. */
export const httpMessageSignatures = {
  'http-message-signatures': { info: { signatureSchemes: ['ed25519'], tags: [COMMITMENT_TAG] } },
} as const satisfies JsonObject;
