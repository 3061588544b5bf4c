import { randomBytes } from 'node:crypto';
import type { LocalAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex, Network } from '../../src/base/shared/hex.js';
import { type PaymentId, paymentIdOf } from '../../src/domains/payments/payment.js';
import type { App } from './app.js';
import { type Call, type Reply, send } from './http.js';
import { mintUsdc } from './usdc.js';

/** `accepts` element of a v2 offer, which its payment echoes. */
export interface Accept {
  readonly scheme: string;
  readonly network: Network;
  readonly amount: string;
  readonly asset: Address;
  readonly payTo: Address;
  readonly maxTimeoutSeconds: number;
  readonly extra: { readonly name: string; readonly version: string; readonly quote: string };
}

export interface Offer {
  readonly error?: string;
  readonly resource: { readonly url: string };
  readonly accepts: readonly [Accept];
  readonly extensions?: Record<string, unknown>;
}

/** EIP-3009, as `exact` payloads carry it. */
export interface Authorization {
  readonly from: Address;
  readonly to: Address;
  readonly value: string;
  readonly validAfter: string;
  readonly validBefore: string;
  readonly nonce: Hex;
}

export interface Payload {
  readonly signature: Hex;
  readonly authorization: Authorization;
}

export type Payment =
  | {
      readonly x402Version: 2;
      readonly accepted: Accept;
      readonly resource: object;
      readonly payload: Payload;
      readonly extensions?: Record<string, unknown>;
    }
  | { readonly x402Version: 1; readonly scheme: string; readonly network: string; readonly payload: Payload };

/** A payer of its own, so that every transfer from it belongs to one test. */
export async function newBuyer(app: Pick<App, 'engines'>, balance: bigint): Promise<LocalAccount> {
  const account = privateKeyToAccount(generatePrivateKey());
  if (balance > 0n) await mintUsdc(app.engines.chain, addressOf(account), balance);
  return account;
}

export function addressOf(account: LocalAccount): Address {
  return account.address.toLowerCase() as Address;
}

/** What the 402 for this request offers. */
export async function ask(call: Call): Promise<Offer> {
  return offerOf(await send(call));
}

/** What an answer says of the settlement (`PAYMENT-RESPONSE`). */
export function settlementOf({ headers }: Reply): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(headers['payment-response']), 'base64').toString());
}

export function offerOf({ status, headers, body }: Reply): Offer {
  const header = headers['payment-required'];
  if (status !== 402 || typeof header !== 'string') throw new Error(`no offer: ${status} ${body.slice(0, 200)}`);
  return JSON.parse(Buffer.from(header, 'base64').toString()) as Offer;
}

/** Signs for the first accept, as official v2 clients do. @param changes to the authorization before it is signed */
export async function sign(
  account: LocalAccount,
  offer: Offer,
  changes: Partial<Authorization> = {},
): Promise<Payment & { readonly x402Version: 2 }> {
  const accepted = offer.accepts[0];
  const payload = await signPayload(account, accepted, changes);
  return { x402Version: 2, accepted, resource: offer.resource, payload, extensions: offer.extensions };
}

/** The same for version 1, which echoes no terms. */
export async function signV1(
  account: LocalAccount,
  offer: Offer,
  changes: Partial<Authorization> = {},
): Promise<Payment & { readonly x402Version: 1 }> {
  const payload = await signPayload(account, offer.accepts[0], changes);
  return { x402Version: 1, scheme: 'exact', network: 'base-sepolia', payload };
}

async function signPayload(account: LocalAccount, accept: Accept, changes: Partial<Authorization>): Promise<Payload> {
  const now = Math.floor(Date.now() / 1000);
  const authorization: Authorization = {
    from: addressOf(account),
    to: accept.payTo,
    value: accept.amount,
    validAfter: '0',
    validBefore: String(now + accept.maxTimeoutSeconds),
    nonce: `0x${randomBytes(32).toString('hex')}`,
    ...changes,
  };
  return { authorization, signature: await signAuthorization(account, accept, authorization) };
}

const TRANSFER = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const;

function signAuthorization(account: LocalAccount, { asset, extra, network }: Accept, authorization: Authorization) {
  const { from, nonce, to, validAfter, validBefore, value } = authorization;
  const domain = { name: extra.name, version: extra.version, verifyingContract: asset };
  return account.signTypedData({
    domain: { ...domain, chainId: Number(network.slice('eip155:'.length)) },
    types: TRANSFER,
    primaryType: 'TransferWithAuthorization',
    message: {
      ...{ from, to, nonce, value: BigInt(value) },
      ...{ validAfter: BigInt(validAfter), validBefore: BigInt(validBefore) },
    },
  });
}

export function encode(payment: object): string {
  return Buffer.from(JSON.stringify(payment)).toString('base64');
}

/** The request with this payment in the header of its version. */
export function withPayment(call: Call, payment: Payment): Call {
  const name = payment.x402Version === 2 ? 'PAYMENT-SIGNATURE' : 'X-PAYMENT';
  return { ...call, headers: { ...call.headers, [name]: encode(payment) } };
}

export function present(call: Call, payment: Payment): Promise<Reply> {
  return send(withPayment(call, payment));
}

/** Asks, signs and presents once. */
export async function buy(account: LocalAccount, call: Call): Promise<Reply> {
  return present(call, await sign(account, await ask(call)));
}

/** What Tollbook calls this payment for `offer`. */
export function idOf({ accepts: [{ asset, network }] }: Offer, { payload }: Payment): PaymentId {
  const { from: payer, nonce } = payload.authorization;
  return paymentIdOf({ network, asset: asset.toLowerCase() as Address, payer, nonce });
}
