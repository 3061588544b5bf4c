/**
 * The payment is left to one who settles for the tenant, before it is sent there: from here on the signature may be public. Until
 * the time is over nobody else is asked, whichever worker finds the payment.
 */
export interface SettlementDelegated {
  readonly type: 'SettlementDelegated';
  readonly schema: 1;
  readonly data: {
    /** Base URL of an x402 facilitator, or `own` for the settlers of this installation. */
    readonly facilitator: string;
    /** Counts the delegations of this payment, from 1. */
    readonly attempt: number;
    /** Epoch milliseconds. */
    readonly until: string;
  };
}

export type Delegation = SettlementDelegated['data'];

/** Who was asked to settle a payment, the first first. */
export interface Delegated {
  readonly delegations?: readonly Delegation[];
}

/** Who settles with the keys of this installation, where facilitators are named. */
export const OWN_SETTLERS = 'own';

export function delegationsOf({ delegations }: Delegated): readonly Delegation[] {
  return delegations ?? [];
}

/** One more is asked; what was sent to the chain stays sent. */
export function delegated<T extends Delegated>(state: T, delegation: Delegation) {
  return {
    transactions: [],
    ...state,
    status: 'submitted' as const,
    delegations: [...delegationsOf(state), delegation],
  };
}

/** Has an outside facilitator been told the signature? */
export function wasShown(state: Delegated): boolean {
  return delegationsOf(state).some(({ facilitator }) => facilitator !== OWN_SETTLERS);
}
