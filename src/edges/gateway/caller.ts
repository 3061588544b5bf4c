import type { IncomingMessage } from 'node:http';
import { hashMessage } from 'viem';
import { recoverSigner } from '../../base/chain/eip3009.js';
import type { Clock } from '../../base/shared/clock.js';
import { type Address, parseAddress } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import { decodeSignIn, SIGN_IN_HEADER } from '../../base/x402/sign-in.js';
import type { KeyFinder } from '../../domains/customers/key-finder.js';
import type { Tenant } from '../../domains/pricing/catalogue.schemas.js';
import type { AddressOf } from './public-address.js';

/** A sign-in is good for this long, whatever it says itself; and clocks may differ. Milliseconds. */
const SIGN_IN_MS = 300_000;
const CLOCKS_DIFFER_MS = 60_000;

/** Who calls, before there is a payment that says so. */
export interface Caller {
  readonly payer: Address;
  /** False: anybody may name any address, so it gets what is public only. */
  readonly proven: boolean;
}

export interface CallerParts {
  readonly keys: Pick<KeyFinder, 'find'>;
  readonly addressOf: AddressOf;
  readonly clock: Clock;
}

/**
 * Who a request without a payment names as its payer: `Tollbook-Payer: 0x…` says it, `Tollbook-Key` (an API key of a
 * customer) and `SIGN-IN-WITH-X` (a signature of the wallet) prove it. A proof that does not hold is refused, so that
 * nobody falls back to the list price unnoticed. None of them reaches a provider or a log.
 */
export class CallerDesk {
  constructor(private readonly parts: CallerParts) {}

  /** Nothing is awaited, and no store is asked, but for a key that we made. @param route its name @throws Problem 400, 401, 403 */
  identify({ headers }: IncomingMessage, tenant: Tenant, route: string): Caller | undefined | Promise<Caller> {
    const name = headers['tollbook-payer'];
    const key = headers['tollbook-key'];
    const signIn = headers[SIGN_IN_HEADER];
    if (name === undefined && key === undefined && signIn === undefined) return undefined;
    if ([name, key, signIn].filter((field) => field !== undefined).length > 1) {
      throw new Problem('invalid_request', 'Name the payer once: Tollbook-Payer, Tollbook-Key or SIGN-IN-WITH-X');
    }
    if (key !== undefined) return this.byKey(String(key), tenant, route);
    if (signIn !== undefined) return { payer: this.bySignIn(String(signIn), tenant), proven: true };
    const payer = parseAddress(name);
    if (payer === undefined) throw new Problem('invalid_request', 'Tollbook-Payer: 0x and 40 hex digits');
    return { payer, proven: false };
  }

  private async byKey(key: string, tenant: Tenant, route: string): Promise<Caller> {
    const found = await this.parts.keys.find(tenant.id, route, key);
    if (!found) throw new Problem('invalid_customer_key', undefined, { 'WWW-Authenticate': 'Tollbook-Key' });
    if (!found.inScope) throw new Problem('key_out_of_scope');
    return { payer: found.payer, proven: true };
  }

  private bySignIn(header: string, tenant: Tenant): Address {
    const signIn = decodeSignIn(header);
    const now = this.parts.clock();
    const { host, origin } = new URL(this.parts.addressOf(tenant));
    const holds =
      signIn !== undefined &&
      signIn.network === tenant.network &&
      signIn.domain === host &&
      new URL(signIn.uri).origin === origin &&
      now - signIn.issuedAt <= SIGN_IN_MS &&
      signIn.issuedAt - now <= CLOCKS_DIFFER_MS &&
      (signIn.expiresAt === undefined || signIn.expiresAt > now) &&
      (signIn.notBefore === undefined || signIn.notBefore <= now) &&
      recoverSigner(Buffer.from(hashMessage(signIn.message).slice(2), 'hex'), signIn.signature) === signIn.address;
    if (!holds) throw new Problem('invalid_sign_in', undefined, { 'WWW-Authenticate': 'SIGN-IN-WITH-X' });
    return signIn.address;
  }
}
