import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { importKey, type Jwk, signRequest } from '../../packages/client/src/sign-request.js';
import { AddSigningKey, OpenAccount } from '../../src/domains/customers/account.decide.js';
import type { CustomerId } from '../../src/domains/customers/account.js';
import { keyIdOf, parseSigningKey, type SigningJwk } from '../../src/domains/customers/signing-key.js';
import type { App } from './app.js';
import { type Call, type Reply, send } from './http.js';
import { publish } from './publishing.js';

/** A customer who pays later. */
export interface Holder {
  readonly customer: CustomerId;
  /** Its key pair. */
  readonly key: Jwk;
  readonly keyId: string;
}

const TOKEN = { network: 'eip155:84532', asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e', decimals: 6 } as const;

/** Opens an account with a key, and a line in atomic units. */
export async function openAccount(app: App, tenant: string, creditLine: bigint): Promise<Holder> {
  const customer: CustomerId = `cus_${randomBytes(12).toString('hex')}`;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = parseSigningKey(publicKey.export({ format: 'jwk' })) as SigningJwk;
  const terms = { currency: 'USD', ...TOKEN, creditLine: `${creditLine}`, period: 'month', timeZone: 'UTC' } as const;
  await publish(app.engines.postgres, [
    new OpenAccount(tenant, customer, { ...terms, wayToPay: 'x402' }),
    new AddSigningKey(tenant, customer, jwk, 'provider'),
  ]);
  return { customer, key: privateKey.export({ format: 'jwk' }) as Jwk, keyId: keyIdOf(jwk) };
}

interface Accept {
  readonly scheme: string;
  readonly amount: string;
  readonly asset: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Every way to pay that a 402 offers. */
export function acceptsOf({ headers }: Reply): readonly Accept[] {
  const header = headers['payment-required'];
  if (header === undefined) return [];
  return (JSON.parse(Buffer.from(String(header), 'base64').toString()) as { accepts: Accept[] }).accepts;
}

export interface Presentation extends Call {
  readonly headers: Record<string, string>;
}

/** A call with a commitment to what is offered for it. @param change of what is signed or sent, before it is signed */
export async function commitTo(
  holder: Holder,
  call: Call,
  change: { customer?: string; keyId?: string; now?: number } = {},
) {
  const accepted = acceptsOf(await send(call)).find(({ scheme }) => scheme === 'batch-settlement');
  if (!accepted) throw new Error('nothing to commit to is offered');
  const { amount, asset } = accepted;
  const payload = { amount, asset, customer: change.customer ?? holder.customer };
  const payment = Buffer.from(JSON.stringify({ x402Version: 2, accepted, payload })).toString('base64');
  const key = await importKey(holder.key, change.keyId ?? holder.keyId);
  const { method = 'GET' } = call;
  const url = new URL(call.url);
  const host = call.headers?.host;
  if (host !== undefined) url.host = host.includes(':') ? host : `${host}:80`;
  const body = Buffer.from(call.body ?? '');
  const fields = await signRequest(key, { method, url: url.href, body, payment }, change.now ?? Date.now());
  return { ...call, headers: { ...call.headers, ...fields } } as Presentation;
}

/** What an answer says of its commitment. */
export function answered({ headers }: Reply) {
  const text = Buffer.from(String(headers['payment-response'] ?? ''), 'base64').toString();
  return (text === '' ? {} : JSON.parse(text)) as {
    readonly success?: boolean;
    readonly payer?: string;
    readonly transaction?: string;
    readonly amount?: string;
    readonly extra?: Readonly<Record<string, string>>;
  };
}

export function schemesOf(reply: Reply): readonly string[] {
  return acceptsOf(reply).map(({ scheme }) => scheme);
}

/** Why a 402 did not take what was presented. */
export function reasonOf(reply: Reply): string {
  expect(reply.status).toBe(402);
  const required = String(reply.headers['payment-required']);
  return (JSON.parse(Buffer.from(required, 'base64').toString()) as { error: string }).error;
}
