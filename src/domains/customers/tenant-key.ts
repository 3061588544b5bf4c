import { FACILITATOR_KEY, INGESTION_KEY } from './key-text.js';

/** What a tenant's own servers have keys for: to settle through our facilitator, or to tell us about usage. */
export const tenantKeys = {
  facilitator: {
    prefix: FACILITATOR_KEY,
    table: 'facilitator_keys',
    issued: 'FacilitatorKeyIssued',
    revoked: 'FacilitatorKeyRevoked',
  },
  ingestion: {
    prefix: INGESTION_KEY,
    table: 'ingestion_keys',
    issued: 'IngestionKeyIssued',
    revoked: 'IngestionKeyRevoked',
  },
} as const;
export type TenantKeyKind = keyof typeof tenantKeys;

interface Issued {
  /** Public name of the key. */
  readonly key: string;
  /** Keyed digest, by which the key is found. */
  readonly digest: string;
  /** RFC 3339, UTC. */
  readonly issuedAt: string;
}

export interface FacilitatorKeyIssued {
  readonly type: 'FacilitatorKeyIssued';
  readonly schema: 1;
  readonly data: Issued;
}

export interface FacilitatorKeyRevoked {
  readonly type: 'FacilitatorKeyRevoked';
  readonly schema: 1;
  readonly data: { readonly key: string };
}

export interface IngestionKeyIssued {
  readonly type: 'IngestionKeyIssued';
  readonly schema: 1;
  readonly data: Issued;
}

export interface IngestionKeyRevoked {
  readonly type: 'IngestionKeyRevoked';
  readonly schema: 1;
  readonly data: { readonly key: string };
}

export type TenantKeyEvent = FacilitatorKeyIssued | FacilitatorKeyRevoked | IngestionKeyIssued | IngestionKeyRevoked;

/** Names of the keys of one tenant and kind that are not revoked. */
export type TenantKeys = ReadonlySet<string>;

export const noTenantKeys: TenantKeys = new Set();

export function tenantKeysStream(kind: TenantKeyKind, tenant: string): string {
  return `${kind}-keys/${tenant}`;
}

export function evolveTenantKeys(keys: TenantKeys, { data, type }: TenantKeyEvent): TenantKeys {
  const next = new Set(keys);
  if (type === 'FacilitatorKeyIssued' || type === 'IngestionKeyIssued') next.add(data.key);
  else next.delete(data.key);
  return next;
}
