import type { Address, Network } from '../shared/hex.js';
import type { JsonObject } from '../shared/json.js';
import { type CommitmentTerms, commitmentAccept } from './commitment-offer.js';
import { encodeHeader, PAYMENT_REQUIRED } from './headers.js';
import { offerableV1NameOf } from './networks.js';

/** What is sold. `url` is absolute; `serviceName` has at most 32 printable ASCII characters. */
export interface ResourceInfo {
  readonly url: string;
  readonly description: string;
  readonly mimeType: string;
  readonly serviceName?: string | undefined;
}

/** One way to pay, always with the `exact` scheme. Amount in atomic units of `asset`. */
export interface AcceptInput {
  readonly network: Network;
  readonly asset: Address;
  readonly amount: bigint;
  readonly payTo: Address;
  readonly maxTimeoutSeconds: number;
  /** EIP-712 domain of the token (`name`, `version`, as on the chain) and the quote; clients echo all of it. */
  readonly extra: { readonly name: string; readonly version: string; readonly quote: string } & JsonObject;
}

export interface OfferInput {
  readonly resource: ResourceInfo;
  /** In order of preference: official clients take the first that they support. */
  readonly accepts: readonly AcceptInput[];
  /** Present: each of them can also be committed to, for the same amount, under the same quote. */
  readonly commitment?: CommitmentTerms | undefined;
  /** List price in atomic units of the first accept, the one that version 1 is offered. Absent: version 1 is offered nothing. */
  readonly v1Amount?: bigint | undefined;
  /** Declarations only, no JSON Schemas: some networks drop payment headers above 2 KB. */
  readonly extensions: JsonObject;
  /** A `Reason`, or a sentence. */
  readonly error?: string | undefined;
}

/** `accepts` element of x402 version 2 (specification, section 5.1). */
export interface PaymentRequirements {
  readonly scheme: 'exact';
  readonly network: Network;
  readonly amount: string;
  readonly asset: Address;
  readonly payTo: Address;
  readonly maxTimeoutSeconds: number;
  readonly extra: JsonObject;
}

/** The object in the `PAYMENT-REQUIRED` header of version 2. */
export interface PaymentRequired {
  readonly x402Version: 2;
  readonly error?: string | undefined;
  readonly resource: ResourceInfo;
  /** Those of `exact` first. */
  readonly accepts: readonly (PaymentRequirements | JsonObject)[];
  readonly extensions: JsonObject;
}

export interface EncodedOffer {
  readonly headers: Readonly<Record<string, string>>;
  /** JSON: the version 1 offer, or the version 2 one where version 1 is offered nothing. */
  readonly body: string;
}

/** What differs from one 402 of a route to the next. */
export interface OfferTerms {
  /** In the order of the template's accepts. `echo`: what else goes into `extra` this time, for clients to echo. */
  readonly accepts: readonly { readonly amount: bigint; readonly quote: string; readonly echo?: JsonObject }[];
  readonly v1Amount?: bigint | undefined;
  readonly error?: string | undefined;
}

export type OfferTemplate = (terms: OfferTerms) => EncodedOffer;

/** The 402 reply that serves both versions at once: version 2 reads the header, version 1 the body. */
export function encodeOffer(input: OfferInput): EncodedOffer {
  const accepts = input.accepts.map(({ amount, extra }) => ({ amount, quote: extra.quote }));
  return compileOffer(input)({ accepts, v1Amount: input.v1Amount, error: input.error });
}

/**
 * Does once per route and tariff what is the same in each of its 402 replies; about three times as fast as `encodeOffer`.
 * Amounts, quotes and error of `input` are not used.
 */
export function compileOffer(input: OfferInput): OfferTemplate {
  const resource = JSON.stringify(input.resource);
  const extensions = JSON.stringify(input.extensions);
  const compiled = input.accepts.map(compileAccept);
  const commit = input.commitment && compileCommitment(input.commitment);
  const v1 = compileV1(input);
  return ({ accepts, v1Amount, error }) => {
    const reason = error === undefined ? '' : `"error":${JSON.stringify(error)},`;
    const list = [...compiled.map((accept, index) => accept(accepts[index]!)), ...(commit ? accepts.map(commit) : [])];
    const json = `{"x402Version":2,${reason}"resource":${resource},"accepts":[${list.join(',')}],"extensions":${extensions}}`;
    const body = v1Amount === undefined || v1 === undefined ? json : `{"x402Version":1,${reason}${v1(v1Amount)}`;
    const headers = {
      [PAYMENT_REQUIRED]: encodeHeader(json),
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
    };
    return { headers, body };
  };
}

/** The version 2 offer as an object: what the header holds. */
export function paymentRequired({ accepts, commitment, error, extensions, resource }: OfferInput): PaymentRequired {
  const later = accepts.map(({ amount, extra: { name: _, version: __, quote, ...echo } }) => {
    return commitment && commitmentAccept({ ...commitment, amount, quote, echo });
  });
  const all = [...accepts.map(requirements), ...later.filter((accept) => accept !== undefined)];
  return { x402Version: 2, error, resource, accepts: all, extensions };
}

function requirements(accept: AcceptInput): PaymentRequirements {
  const { network, asset, payTo, maxTimeoutSeconds, extra } = accept;
  return { scheme: 'exact', network, amount: accept.amount.toString(), asset, payTo, maxTimeoutSeconds, extra };
}

function compileAccept(accept: AcceptInput): (terms: OfferTerms['accepts'][number]) => string {
  const { network, asset, payTo, maxTimeoutSeconds } = accept;
  const { quote: _, ...extra } = accept.extra;
  const before = JSON.stringify({ scheme: 'exact', network, asset, payTo, maxTimeoutSeconds }).slice(0, -1);
  const extraBefore = JSON.stringify(extra).slice(0, -1);
  return ({ amount, echo, quote }) => {
    const more = echo === undefined ? '' : `,${JSON.stringify(echo).slice(1, -1)}`;
    return `${before},"amount":"${amount}","extra":${extraBefore},"quote":${JSON.stringify(quote)}${more}}}`;
  };
}

function compileCommitment(terms: CommitmentTerms): (terms: OfferTerms['accepts'][number]) => string {
  return (agreed) => JSON.stringify(commitmentAccept({ ...terms, ...agreed }));
}

/** The version 1 body after its `error` (specification v1, section 5). One unknown network name would void it, hence the strict table. */
function compileV1({ resource, accepts }: OfferInput): ((amount: bigint) => string) | undefined {
  const [accept] = accepts;
  const network = accept && offerableV1NameOf(accept.network);
  if (network === undefined) return undefined;
  const { asset, payTo, maxTimeoutSeconds, extra } = accept!;
  const terms = JSON.stringify({
    scheme: 'exact',
    network,
    asset,
    payTo,
    resource: resource.url,
    description: resource.description,
    mimeType: resource.mimeType,
    maxTimeoutSeconds,
    extra: { name: extra.name, version: extra.version },
  }).slice(0, -1);
  return (amount) => `"accepts":[${terms},"maxAmountRequired":"${amount}"}]}`;
}
