import type { Address } from '../../base/shared/hex.js';

/** What a provider can note about a payer. Events name the fields; what is in them is kept beside, and erasable. */
export const customerFields = ['name', 'email', 'note'] as const;
export type CustomerField = (typeof customerFields)[number];
export type CustomerDetails = { readonly [field in CustomerField]?: string };

/** Says who has something noted, never what, nor a digest of it: short values are found again from their digests. */
export interface CustomerDescribed {
  readonly type: 'CustomerDescribed';
  readonly schema: 1;
  readonly data: { readonly payer: Address; readonly fields: readonly CustomerField[] };
}

export interface CustomerErased {
  readonly type: 'CustomerErased';
  readonly schema: 1;
  readonly data: { readonly payer: Address };
}

export type CustomerEvent = CustomerDescribed | CustomerErased;

export type Customer =
  | { readonly status: 'unknown' }
  | { readonly status: 'described'; readonly fields: readonly CustomerField[] }
  | { readonly status: 'erased' };

export const unknownCustomer: Customer = { status: 'unknown' };

export function customerStream(tenant: string, payer: Address): string {
  return `customer/${tenant}/${payer}`;
}

/** Folds one event; the last one says all. */
export function evolveCustomer(_state: Customer, event: CustomerEvent): Customer {
  return event.type === 'CustomerErased' ? { status: 'erased' } : { status: 'described', fields: event.data.fields };
}
