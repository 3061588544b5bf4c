import { jsonHeader, jsonInHeader } from './encoding.js';
import { importKey, signRequest } from './sign-request.js';

/**
 * @typedef {object} PayLaterOptions
 * @property {import('./sign-request.js').Jwk} key the account's Ed25519 key pair as a JWK; it is used to sign and never sent
 * @property {string} customer the account's id at the seller, `cus_…`
 * @property {string} [keyId] the seller's name for the key; by default the JWK's `kid`, else its thumbprint (RFC 7638)
 * @property {bigint} [maxAmount] the most that one request may cost, in the units of the offer; without it there is no limit here
 */

/**
 * @typedef {object} Commitment
 * @property {string} id of the commitment, `com_…`
 * @property {bigint | undefined} charged what counts; not known yet if the answer is a stream whose length decides
 * @property {bigint} held what it could have cost
 */

/** An offer costs more than `maxAmount`. Nothing was signed. */
export class TooDear extends Error {
  /** @param {bigint} amount */
  constructor(amount) {
    super(`the request costs up to ${amount}, which is more than maxAmount`);
    this.amount = amount;
  }
}

/**
 * A `fetch` that answers a 402 by signing the request as a commitment and sending it once more. Whatever cannot be paid so is handed
 * back as it came. If the connection breaks after signing, the very same request is sent again, which never runs twice.
 *
 * @param {typeof globalThis.fetch} fetch
 * @param {PayLaterOptions} options
 * @returns {typeof globalThis.fetch}
 */
export function payLater(fetch, { customer, key: jwk, keyId, maxAmount }) {
  const key = importKey(jwk, keyId);
  // Whoever calls awaits it; until then a bad key is no unhandled rejection.
  key.catch(() => {});
  return async (input, init) => {
    const request = new Request(input, init);
    const signing = await key;
    const body = new Uint8Array(await request.clone().arrayBuffer());
    const offered = await fetch(request);
    const accepted = offered.status === 402 ? commitmentIn(offered) : undefined;
    if (accepted === undefined) return offered;
    if (maxAmount !== undefined && BigInt(accepted.amount) > maxAmount) throw new TooDear(BigInt(accepted.amount));
    await offered.body?.cancel();
    const { amount, asset } = accepted;
    const payment = jsonHeader({ x402Version: 2, accepted, payload: { amount, asset, customer } });
    const { method, url } = request;
    const fields = await signRequest(signing, { method, url, body, payment }, Date.now());
    const headers = new Headers(request.headers);
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
    const { signal } = request;
    // A signature is for one address: where it leads to has to be asked by its own.
    const signed = { method, headers, signal, body: body.length > 0 ? body : undefined, redirect: 'manual' };
    const send = () => fetch(url, /** @type {RequestInit} */ (signed));
    return send().catch((error) => {
      if (signal.aborted) throw error;
      return send();
    });
  };
}

/**
 * What an answer says of its commitment; `undefined` if it was not committed to.
 *
 * @param {Response} response
 * @returns {Commitment | undefined}
 */
export function commitmentOf(response) {
  const extra = jsonInHeader(response.headers.get('payment-response'))?.extra;
  if (typeof extra?.commitmentId !== 'string') return undefined;
  const charged = extra.charged === undefined ? undefined : BigInt(extra.charged);
  return { id: extra.commitmentId, charged, held: BigInt(extra.held) };
}

/** @param {Response} response */
function commitmentIn(response) {
  const accepts = jsonInHeader(response.headers.get('payment-required'))?.accepts;
  if (!Array.isArray(accepts)) return undefined;
  return accepts.find(({ network, scheme }) => scheme === 'batch-settlement' && network === 'tollbook:402');
}
