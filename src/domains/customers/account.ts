import type { Address, Network } from '../../base/shared/hex.js';
import type { SigningJwk } from './signing-key.js';

/** `cus_` and 24 hex digits. */
export type CustomerId = `cus_${string}`;

export const CUSTOMER_ID = /^cus_[0-9a-f]{24}$/;

/** How a customer means to pay its invoices. */
export const waysToPay = ['x402', 'card', 'transfer'] as const;
export interface WayToPay {
  readonly method: (typeof waysToPay)[number];
  /** What the card processor calls the customer's card. Never a number of a card or an account. */
  readonly reference?: string;
}

/** Invoices cover calendar months on the clocks of an IANA zone. */
export interface Billing {
  readonly period: 'month';
  readonly timeZone: string;
}

/** Why an account may owe nothing more. */
export const suspensionReasons = ['overdue', 'on_request', 'abuse', 'other'] as const;
export type SuspensionReason = (typeof suspensionReasons)[number];

/** Amounts of an account are in atomic units of the token that the tenant took when it was opened. */
export interface AccountOpened {
  readonly type: 'AccountOpened';
  readonly schema: 1;
  readonly data: Billing & {
    readonly customer: CustomerId;
    readonly currency: 'USD';
    readonly network: Network;
    readonly asset: Address;
    readonly decimals: number;
    /** What may be owed at most, decimal; 0 for an account that is paid in advance. */
    readonly creditLine: string;
    readonly wayToPay: WayToPay['method'];
    /** RFC 3339, UTC. */
    readonly openedAt: string;
  };
}

interface Of<Type extends string, Data extends object> {
  readonly type: Type;
  readonly schema: 1;
  readonly data: Data & { readonly customer: CustomerId };
}

export type CreditLineSet = Of<'CreditLineSet', { readonly creditLine: string }>;
export type BillingSet = Of<'BillingSet', Billing>;
export type WayToPaySet = Of<'WayToPaySet', WayToPay>;
export type WalletAttached = Of<'WalletAttached', { readonly wallet: Address }>;
export type WalletDetached = Of<'WalletDetached', { readonly wallet: Address }>;
/** `key`: the RFC 7638 thumbprint. */
export type SigningKeyAdded = Of<
  'SigningKeyAdded',
  { readonly key: string; readonly jwk: SigningJwk; readonly source: KeySource }
>;
/** For ever: a key that has leaked is not taken again. */
export type SigningKeyRevoked = Of<'SigningKeyRevoked', { readonly key: string }>;
/** The keys that it holds count from the reading of it on that somebody asked for. */
export type KeyDirectorySet = Of<'KeyDirectorySet', KeyDirectory>;
export type KeyDirectoryRemoved = Of<'KeyDirectoryRemoved', object>;
export type AccountSuspended = Of<'AccountSuspended', { readonly reason: SuspensionReason }>;
export type AccountResumed = Of<'AccountResumed', object>;

/** Where a customer publishes its keys. `allowPrivate`: the operator allows addresses that are not public, and HTTP. */
export interface KeyDirectory {
  readonly url: string;
  readonly allowPrivate: boolean;
}

/** Who said that the key is the customer's: the provider, or the customer's own key directory. */
export type KeySource = 'provider' | 'directory';

export type AccountEvent =
  | AccountOpened
  | CreditLineSet
  | BillingSet
  | WayToPaySet
  | WalletAttached
  | WalletDetached
  | SigningKeyAdded
  | SigningKeyRevoked
  | KeyDirectorySet
  | KeyDirectoryRemoved
  | AccountSuspended
  | AccountResumed;

export interface AddedKey {
  readonly jwk: SigningJwk;
  readonly source: KeySource;
}

export interface Account {
  readonly opened: AccountOpened['data'];
  readonly creditLine: string;
  readonly billing: Billing;
  readonly wayToPay: WayToPay;
  readonly suspended?: SuspensionReason;
  readonly wallets: ReadonlySet<Address>;
  /** By thumbprint. */
  readonly keys: ReadonlyMap<string, AddedKey>;
  readonly revoked: ReadonlySet<string>;
  readonly directory?: KeyDirectory;
}

export function accountStream(tenant: string, customer: CustomerId): string {
  return `account/${tenant}/${customer}`;
}

/** Folds one stored event. An event before the account was opened means a corrupt log, so it throws. */
export function evolveAccount(account: Account | undefined, event: AccountEvent): Account {
  if (event.type === 'AccountOpened') {
    const { creditLine, period, timeZone, wayToPay } = event.data;
    return {
      ...{ opened: event.data, creditLine, billing: { period, timeZone }, wayToPay: { method: wayToPay } },
      ...{ wallets: new Set(), keys: new Map(), revoked: new Set() },
    };
  }
  if (account === undefined) throw new Error(`${event.type} of an account that was not opened`);
  return { ...account, ...changeOf(account, event) };
}

function changeOf(account: Account, event: Exclude<AccountEvent, AccountOpened>): Partial<Account> {
  const { customer: _, ...data } = event.data;
  switch (event.type) {
    case 'CreditLineSet':
      return { creditLine: event.data.creditLine };
    case 'BillingSet':
      return { billing: data as Billing };
    case 'WayToPaySet':
      return { wayToPay: data as WayToPay };
    case 'WalletAttached':
      return { wallets: new Set([...account.wallets, event.data.wallet]) };
    case 'WalletDetached':
      return { wallets: new Set([...account.wallets].filter((wallet) => wallet !== event.data.wallet)) };
    case 'SigningKeyAdded': {
      const { jwk, key, source } = event.data;
      return { keys: new Map([...account.keys, [key, { jwk, source }]]) };
    }
    case 'SigningKeyRevoked': {
      const { key } = event.data;
      const keys = new Map([...account.keys].filter(([name]) => name !== key));
      return { keys, revoked: new Set([...account.revoked, key]) };
    }
    case 'KeyDirectorySet':
      return { directory: data as KeyDirectory };
    case 'KeyDirectoryRemoved':
      return { directory: undefined };
    case 'AccountSuspended':
      return { suspended: event.data.reason };
    case 'AccountResumed':
      return { suspended: undefined };
  }
}
