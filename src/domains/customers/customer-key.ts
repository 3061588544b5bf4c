import type { Address } from '../../base/shared/hex.js';

export interface CustomerKeyIssued {
  readonly type: 'CustomerKeyIssued';
  readonly schema: 1;
  readonly data: {
    readonly payer: Address;
    /** Public name of the key. */
    readonly key: string;
    /** Keyed digest, by which the key is found. */
    readonly digest: string;
    /** RFC 3339, UTC. */
    readonly issuedAt: string;
    readonly expiresAt?: string;
  };
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
