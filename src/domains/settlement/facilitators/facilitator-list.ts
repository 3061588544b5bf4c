/** What a tenant says of one facilitator; what it shows to be let in there is beside the log. */
export interface ListedFacilitator {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /** Longest that it may take for an answer. */
  readonly timeoutMs: number;
  /** Whether it may be at a private address, or speak plain http. */
  readonly allowPrivate: boolean;
  /** Tells whether the secret changed, not what it is; absent if there is none. */
  readonly authorizationDigest?: string;
}

/** Who settles for a tenant: outside facilitators in the order in which they are preferred, and maybe the settlers here after them. */
export interface FacilitatorList {
  readonly facilitators: readonly ListedFacilitator[];
  readonly own: 'last' | 'never';
}

/** From here on these settle for the tenant. What a facilitator has been sent already stays with it for its time. */
export interface FacilitatorsChosen {
  readonly type: 'FacilitatorsChosen';
  readonly schema: 1;
  readonly data: FacilitatorList;
}

/** How it is until somebody says otherwise: the settlers here do it all. */
export const noFacilitators: FacilitatorList = { facilitators: [], own: 'last' };

export function facilitatorsStream(tenant: string): string {
  return `facilitators/${tenant}`;
}

/** Folds one event; the last one says all. */
export function evolveFacilitators(_list: FacilitatorList, { data }: FacilitatorsChosen): FacilitatorList {
  return data;
}
