import type { Address } from '../../base/shared/hex.js';

export interface CustomerKeyIssued {
  readonly type: 'CustomerKeyIssued';
  readonly schema: 2;
  readonly data: {
    readonly payer: Address;
    /** Public name of the key. */
    readonly key: string;
    /** Keyed digest, by which the key is found. */
    readonly digest: string;
    /** RFC 3339, UTC. */
    readonly issuedAt: string;
    readonly expiresAt?: string;
    /** Its scope: names of the routes that it is good for, sorted; all of them, if nothing is said. */
    readonly routes?: readonly string[];
  };
}

/** How it was written until keys had scopes. */
export interface CustomerKeyIssuedV1 {
  readonly type: 'CustomerKeyIssued';
  readonly schema: 1;
  readonly data: Omit<CustomerKeyIssued['data'], 'routes'>;
}

/** A key that another one takes over from is good until then, so that its owner has time to change it. */
export interface CustomerKeyExpiring {
  readonly type: 'CustomerKeyExpiring';
  readonly schema: 1;
  readonly data: { readonly payer: Address; readonly key: string; readonly expiresAt: string };
}

export interface CustomerKeyRevoked {
  readonly type: 'CustomerKeyRevoked';
  readonly schema: 1;
  readonly data: { readonly payer: Address; readonly key: string };
}

export type CustomerKeyEvent = CustomerKeyIssued | CustomerKeyExpiring | CustomerKeyRevoked;

export type IssuedKey = Omit<CustomerKeyIssued['data'], 'payer'>;

/** As it stands in the row by which a key is found. */
export interface KeyScope {
  readonly routes: readonly string[];
}

/** The keys of one customer that are not revoked, by their names. */
export type CustomerKeys = ReadonlyMap<string, IssuedKey>;

export const noKeys: CustomerKeys = new Map();

export function customerKeysStream(tenant: string, payer: Address): string {
  return `customer-keys/${tenant}/${payer}`;
}

export function evolveCustomerKeys(keys: CustomerKeys, event: CustomerKeyEvent): CustomerKeys {
  const next = new Map(keys);
  const { key } = event.data;
  const issued = keys.get(key);
  switch (event.type) {
    case 'CustomerKeyIssued': {
      const { payer: _, ...data } = event.data;
      next.set(key, data);
      break;
    }
    case 'CustomerKeyExpiring':
      if (issued) next.set(key, { ...issued, expiresAt: event.data.expiresAt });
      break;
    case 'CustomerKeyRevoked':
      next.delete(key);
      break;
  }
  return next;
}
