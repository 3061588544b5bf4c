export interface FacilitatorKeyIssued {
  readonly type: 'FacilitatorKeyIssued';
  readonly schema: 1;
  readonly data: {
    /** Public name of the key. */
    readonly key: string;
    /** Keyed digest, by which the key is found. */
    readonly digest: string;
    /** RFC 3339, UTC. */
    readonly issuedAt: string;
  };
}

export interface FacilitatorKeyRevoked {
  readonly type: 'FacilitatorKeyRevoked';
  readonly schema: 1;
  readonly data: { readonly key: string };
}

export type FacilitatorKeyEvent = FacilitatorKeyIssued | FacilitatorKeyRevoked;

/** Names of the keys of one tenant that are not revoked. */
export type FacilitatorKeys = ReadonlySet<string>;

export const noFacilitatorKeys: FacilitatorKeys = new Set();

export function facilitatorKeysStream(tenant: string): string {
  return `facilitator-keys/${tenant}`;
}

export function evolveFacilitatorKeys(keys: FacilitatorKeys, { data, type }: FacilitatorKeyEvent): FacilitatorKeys {
  const next = new Set(keys);
  if (type === 'FacilitatorKeyIssued') next.add(data.key);
  else next.delete(data.key);
  return next;
}
