import type { Token } from '../../../base/chain/chain.js';
import type { Hex } from '../../../base/shared/hex.js';
import type { JsonObject } from '../../../base/shared/json.js';
import { v1NameOf } from '../../../base/x402/networks.js';
import type { PaymentAuthorized } from '../../payments/payment.js';

/** What the payer may have been told that it has, in seconds; the signature's own times are what counts. */
const TIMEOUT_SECONDS = 300;
/** Of what another server sold, if it named nothing. */
const UNNAMED = '-';

type Authorized = Pick<PaymentAuthorized['data'], 'resource' | 'terms' | 'x402Version'>;

/** Pure. In which of the facilitator's versions a payment is put: its own, if the facilitator speaks it. */
export function versionFor({ x402Version: wanted }: Authorized, spoken: readonly (1 | 2)[]): 1 | 2 | undefined {
  return spoken.includes(wanted) ? wanted : spoken[0];
}

/**
 * Pure. Body of `POST /settle` and `POST /verify` (x402 specification, facilitator interface). The signature covers the
 * authorization alone, so either version may carry it. The resource is named without its query.
 */
export function facilitatorBodyOf(authorized: Authorized, signature: Hex, token: Token, version: 1 | 2): JsonObject {
  return version === 1 ? bodyV1(authorized, signature, token) : bodyV2(authorized, signature, token);
}

function bodyV2({ resource, terms }: Authorized, signature: Hex, token: Token): JsonObject {
  const accepted = {
    scheme: 'exact',
    network: terms.network,
    amount: terms.amount,
    ...shared(terms, token),
  };
  const payment = { x402Version: 2, accepted, payload: payloadOf(terms, signature) };
  const paymentPayload = resource === UNNAMED ? payment : { ...payment, resource: { url: resource } };
  return { x402Version: 2, paymentPayload, paymentRequirements: accepted };
}

function bodyV1({ resource, terms }: Authorized, signature: Hex, token: Token): JsonObject {
  const network = v1NameOf(terms.network) ?? terms.network;
  const paymentPayload = { x402Version: 1, scheme: 'exact', network, payload: payloadOf(terms, signature) };
  const paymentRequirements = {
    ...{ scheme: 'exact', network, maxAmountRequired: terms.amount },
    // Version 1 has no payment without a resource; this name belongs to nobody (RFC 2606).
    ...{ resource: resource === UNNAMED ? 'https://resource.invalid/' : resource, description: '', mimeType: '' },
    ...shared(terms, token),
  };
  return { x402Version: 1, paymentPayload, paymentRequirements };
}

function shared({ asset, payee }: Authorized['terms'], { name, version }: Token) {
  return { asset, payTo: payee, maxTimeoutSeconds: TIMEOUT_SECONDS, extra: { name, version } };
}

function payloadOf(terms: Authorized['terms'], signature: Hex) {
  const { amount: value, nonce, payee: to, payer: from, validAfter, validBefore } = terms;
  return { signature, authorization: { from, to, value, validAfter, validBefore, nonce } };
}
