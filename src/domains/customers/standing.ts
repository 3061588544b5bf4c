import type { Address } from '../../base/shared/hex.js';

/** Why a payer is on a list. Words, not sentences: events are for ever, and sentences can hold personal data. */
export const listReasons = ['contract', 'abuse', 'fraud', 'sanctions', 'unpaid', 'on_request', 'other'] as const;
export type ListReason = (typeof listReasons)[number];

export type PayerList = 'allow' | 'deny';

/**
 * - `open`: everybody is served but those on the deny list.
 * - `allow_listed`: only those on the allow list are.
 */
export type ListMode = 'open' | 'allow_listed';

/** The payer is on this list now, and not on the other. */
export interface PayerListed {
  readonly type: 'PayerListed';
  readonly schema: 1;
  readonly data: { readonly payer: Address; readonly list: PayerList; readonly reason: ListReason };
}

export interface PayerUnlisted {
  readonly type: 'PayerUnlisted';
  readonly schema: 1;
  readonly data: { readonly payer: Address };
}

export type StandingEvent = PayerListed | PayerUnlisted;

/** Which list a payer is on, and why. */
export type ListEntry = Pick<PayerListed['data'], 'list' | 'reason'>;

export interface ListModeChanged {
  readonly type: 'ListModeChanged';
  readonly schema: 1;
  readonly data: { readonly mode: ListMode };
}

export function standingStream(tenant: string, payer: Address): string {
  return `standing/${tenant}/${payer}`;
}

export function listModeStream(tenant: string): string {
  return `list-mode/${tenant}`;
}

/** Folds one event; the last one says all. */
export function evolveStanding(_state: ListEntry | undefined, event: StandingEvent): ListEntry | undefined {
  if (event.type === 'PayerUnlisted') return undefined;
  return { list: event.data.list, reason: event.data.reason };
}

export function evolveListMode(_state: ListMode, event: ListModeChanged): ListMode {
  return event.data.mode;
}
