import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { TransferAuthorization } from '../chain/chain.js';
import type { Hex, Network } from '../shared/hex.js';
import type { JsonObject } from '../shared/json.js';
import { Problem } from '../shared/problem.js';
import { COMMITMENT_SCHEME } from './commitment-offer.js';
import { paymentIdentifierOf } from './payment-identifier.js';
import { commitmentV2, paymentV1, paymentV2 } from './payment-schema.js';
import { decodeBase64, parseStrictJson } from './strict-json.js';

/** Longest payment header that is decoded, in bytes. */
export const MAX_PAYMENT_HEADER_BYTES = 8192;

/** The request headers that can carry a payment, as Node hands them over (lower case). */
export interface PaymentHeaders {
  readonly 'payment-signature'?: string | readonly string[] | undefined;
  readonly 'x-payment'?: string | readonly string[] | undefined;
}

interface Signed {
  readonly authorization: TransferAuthorization;
  readonly signature: Hex;
  /** Base64url SHA-256 of the decoded bytes: a repeat must send the very same payment. */
  readonly payloadDigest: string;
}

/** Terms that the client says it accepted. Only an echo: nothing in it is signed, so compare it with what was offered. */
export type AcceptedTerms = z.output<typeof paymentV2>['accepted'];

export type DecodedPayment =
  | ({
      readonly x402Version: 2;
      readonly accepted: AcceptedTerms;
      readonly paymentIdentifier: string | undefined;
    } & Signed)
  | ({ readonly x402Version: 1; readonly network: Network } & Signed);

/** A promise to pay, which the signature of its request makes binding: nothing in the payload is signed by itself. */
export interface DecodedCommitment extends z.output<typeof commitmentV2> {
  readonly x402Version: 2;
  readonly scheme: typeof COMMITMENT_SCHEME;
}

export function isCommitment(payment: DecodedPayment | DecodedCommitment): payment is DecodedCommitment {
  return 'scheme' in payment;
}

/**
 * Reads the payment of a request: `PAYMENT-SIGNATURE` (version 2) or `X-PAYMENT` (version 1).
 * `undefined` if there is none. Addresses, nonce and signature come out in lower case.
 *
 * @throws Problem (400) `duplicate_payment_header`, `payment_header_too_large`, `malformed_payment`,
 * `unsupported_x402_version`, `unsupported_scheme` or `invalid_payment_identifier`; the detail names the field.
 */
export function decodePayment(headers: PaymentHeaders): DecodedPayment | DecodedCommitment | undefined {
  const header = singleHeader(headers);
  if (header === undefined) return undefined;
  const bytes = decodeHeader(header.value);
  const payment = parseStrictJson(bytes);
  requireVersion(payment.x402Version, header);
  if (header.version === 2 && schemeOf(payment) === COMMITMENT_SCHEME) {
    return { x402Version: 2, scheme: COMMITMENT_SCHEME, ...validate(commitmentV2, payment) };
  }
  const payloadDigest = hash('sha256', bytes, 'base64url');
  if (header.version === 1) {
    requireScheme(payment.scheme, 'scheme');
    const { network, payload } = validate(paymentV1, payment);
    const { authorization, signature } = payload;
    return { x402Version: 1, network, authorization, signature, payloadDigest };
  }
  requireScheme(schemeOf(payment), 'accepted.scheme');
  const { accepted, payload, extensions } = validate(paymentV2, payment);
  const { authorization, signature } = payload;
  const paymentIdentifier = paymentIdentifierOf(extensions);
  return { x402Version: 2, accepted, authorization, signature, paymentIdentifier, payloadDigest };
}

interface Header {
  readonly name: string;
  readonly version: 1 | 2;
  readonly value: string;
}

function singleHeader(headers: PaymentHeaders): Header | undefined {
  if (headers['payment-signature'] === undefined && headers['x-payment'] === undefined) return undefined;
  const v2 = [headers['payment-signature'] ?? []].flat();
  const v1 = [headers['x-payment'] ?? []].flat();
  if (v1.length + v2.length > 1) throw duplicate();
  const value = v2[0] ?? v1[0];
  if (value === undefined) return undefined;
  // Node joins repeated headers with a comma, which base64 does not have.
  if (value.includes(',')) throw duplicate();
  return v2.length === 1 ? { name: 'PAYMENT-SIGNATURE', version: 2, value } : { name: 'X-PAYMENT', version: 1, value };
}

function duplicate(): Problem {
  return new Problem('duplicate_payment_header', 'Found more than one of PAYMENT-SIGNATURE and X-PAYMENT');
}

function decodeHeader(value: string): Buffer {
  if (value.length > MAX_PAYMENT_HEADER_BYTES) {
    throw new Problem('payment_header_too_large', `At most ${MAX_PAYMENT_HEADER_BYTES} bytes are decoded`);
  }
  const bytes = decodeBase64(value);
  if (bytes === undefined) throw new Problem('malformed_payment', 'The payment header is not standard padded base64');
  return bytes;
}

function requireVersion(version: unknown, { name, version: expected }: Header): void {
  if (version === expected) return;
  if (version === undefined) throw new Problem('malformed_payment', 'x402Version: expected 1 or 2');
  throw new Problem('unsupported_x402_version', `x402Version: ${name} carries version ${expected}`);
}

function schemeOf({ accepted }: JsonObject): unknown {
  return (accepted as JsonObject | null | undefined)?.scheme;
}

function requireScheme(scheme: unknown, path: string): void {
  if (typeof scheme !== 'string' || scheme === 'exact') return;
  throw new Problem('unsupported_scheme', `${path}: this server takes exact`);
}

function validate<S extends z.ZodType>(schema: S, payment: JsonObject): z.output<S> {
  const result = schema.safeParse(payment);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  // The names of unknown members are the caller's text, so they are not repeated.
  const what = issue.code === 'unrecognized_keys' ? 'has members that were not offered' : issue.message;
  throw new Problem('malformed_payment', `${issue.path.join('.')}: ${what}`);
}
