/** A facilitator as one tenant uses it: with that tenant's key, on its own account. What it does for one says nothing of others. */
export interface TenantsFacilitator {
  readonly tenant: string;
  /** Base URL, without a slash at the end. */
  readonly url: string;
}

/** Pure. Unique, and without a blank but the one between: neither part can hold one. */
export function nameOf({ tenant, url }: TenantsFacilitator): string {
  return `${tenant} ${url}`;
}
