import type { Expected } from '../../base/event-store/expected.js';
import type { Attachment, Decision } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';
import { Problem } from '../../base/shared/problem.js';
import {
  type Account,
  type AccountEvent,
  type AccountOpened,
  type Billing,
  type CustomerId,
  evolveAccount,
  type KeyDirectory,
  type KeySource,
  type SuspensionReason,
  type WayToPay,
} from './account.js';
import { accountRow, keyRemoval, keyRow } from './account.rows.js';
import { keyIdOf, type SigningJwk } from './signing-key.js';

/** Keys, and wallets, that one account has at the same time. */
export const ACCOUNT_KEYS_MAX = 20;
export const ACCOUNT_WALLETS_MAX = 20;

/** Names an account; what every command has. */
export abstract class AccountCommand {
  constructor(
    readonly tenant: string,
    readonly customer: CustomerId,
    readonly expected?: Expected,
  ) {}
}

export class OpenAccount extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly terms: Omit<AccountOpened['data'], 'customer' | 'openedAt'>,
  ) {
    super(tenant, customer);
  }
}

/** What may be owed from now on. A line below what is owed lets nothing in until enough is paid. */
export class SetCreditLine extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly creditLine: string,
    expected?: Expected,
  ) {
    super(tenant, customer, expected);
  }
}

export class SetBilling extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly billing: Billing,
    expected?: Expected,
  ) {
    super(tenant, customer, expected);
  }
}

export class SetWayToPay extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly wayToPay: WayToPay,
    expected?: Expected,
  ) {
    super(tenant, customer, expected);
  }
}

export class AttachWallet extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly wallet: Address,
  ) {
    super(tenant, customer);
  }
}

export class DetachWallet extends AttachWallet {}

export class AddSigningKey extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly jwk: SigningJwk,
    readonly source: KeySource,
  ) {
    super(tenant, customer);
  }
}

export class RevokeSigningKey extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly key: string,
  ) {
    super(tenant, customer);
  }
}

export class SetKeyDirectory extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly directory: KeyDirectory,
  ) {
    super(tenant, customer);
  }
}

export class RemoveKeyDirectory extends AccountCommand {}

/** What was read at a key directory: all of its keys that count. */
export class TakeDirectoryKeys extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly url: string,
    readonly jwks: readonly SigningJwk[],
  ) {
    super(tenant, customer);
  }
}

/** From the answer on nothing more may be owed; what runs already is charged. */
export class SuspendAccount extends AccountCommand {
  constructor(
    tenant: string,
    customer: CustomerId,
    readonly reason: SuspensionReason,
  ) {
    super(tenant, customer);
  }
}

export class ResumeAccount extends AccountCommand {}

export type State = Account | undefined;
type Data<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>['data'];

export const NOTHING: Decision = { events: [] };

/** Repeatable: the first opening stands. @param now epoch milliseconds @param version events in the stream so far */
export function decideOpenAccount(state: State, command: OpenAccount, now: number, version: number): Decision {
  if (state) return NOTHING;
  const data = { ...command.terms, customer: command.customer, openedAt: new Date(now).toISOString() };
  return changed(state, command, version, eventOf('AccountOpened', data));
}

export function decideCreditLine(state: State, command: SetCreditLine, _now: number, version: number): Decision {
  const { creditLine, customer } = command;
  if (mustBeOpen(state).creditLine === creditLine) return NOTHING;
  return changed(state, command, version, eventOf('CreditLineSet', { customer, creditLine }));
}

export function decideBilling(state: State, command: SetBilling, _now: number, version: number): Decision {
  const { billing, customer } = command;
  if (mustBeOpen(state).billing.timeZone === billing.timeZone) return NOTHING;
  return changed(state, command, version, eventOf('BillingSet', { customer, ...billing }));
}

export function decideWayToPay(state: State, command: SetWayToPay, _now: number, version: number): Decision {
  const { customer, wayToPay } = command;
  const { method, reference } = mustBeOpen(state).wayToPay;
  if (method === wayToPay.method && reference === wayToPay.reference) return NOTHING;
  return changed(state, command, version, eventOf('WayToPaySet', { customer, ...wayToPay }));
}

/** @throws Problem `too_many_wallets` */
export function decideAttachWallet(state: State, command: AttachWallet, _now: number, version: number): Decision {
  const { customer, tenant, wallet } = command;
  const { wallets } = mustBeOpen(state);
  if (wallets.has(wallet)) return NOTHING;
  if (wallets.size >= ACCOUNT_WALLETS_MAX) throw new Problem('too_many_wallets');
  const decision = changed(state, command, version, eventOf('WalletAttached', { customer, wallet }));
  return beside(decision, { table: 'account_wallets', row: { tenant, wallet, customer } });
}

/** Repeatable. */
export function decideDetachWallet(state: State, command: DetachWallet, _now: number, version: number): Decision {
  const { customer, tenant, wallet } = command;
  if (!mustBeOpen(state).wallets.has(wallet)) return NOTHING;
  const decision = changed(state, command, version, eventOf('WalletDetached', { customer, wallet }));
  return { ...decision, removals: [{ table: 'account_wallets', key: { tenant, wallet } }] };
}

/** The same key again changes nothing. @throws Problem `signing_key_revoked`, `too_many_keys` */
export function decideAddKey(state: State, command: AddSigningKey, now: number, version: number): Decision {
  const { customer, jwk, source } = command;
  const { keys, revoked } = mustBeOpen(state);
  const key = keyIdOf(jwk);
  if (keys.has(key)) return NOTHING;
  if (revoked.has(key)) throw new Problem('signing_key_revoked');
  if (keys.size >= ACCOUNT_KEYS_MAX) throw new Problem('too_many_keys');
  const decision = changed(state, command, version, eventOf('SigningKeyAdded', { customer, key, jwk, source }));
  return beside(decision, keyRow(command, jwk, source, now));
}

export function decideSetDirectory(state: State, command: SetKeyDirectory, _now: number, version: number): Decision {
  const { customer, directory } = command;
  const known = mustBeOpen(state).directory;
  if (known?.url === directory.url && known.allowPrivate === directory.allowPrivate) return NOTHING;
  return changed(state, command, version, eventOf('KeyDirectorySet', { customer, ...directory }));
}

/** Repeatable. */
export function decideRemoveDirectory(
  state: State,
  command: RemoveKeyDirectory,
  _now: number,
  version: number,
): Decision {
  if (mustBeOpen(state).directory === undefined) return NOTHING;
  return changed(state, command, version, eventOf('KeyDirectoryRemoved', { customer: command.customer }));
}

/**
 * Adds what is new, but for keys that were revoked, and revokes what came from the directory and is not there any more. Nothing, if the
 * account has another directory by now. @throws Problem `too_many_keys`
 */
export function decideTakeDirectoryKeys(
  state: State,
  command: TakeDirectoryKeys,
  now: number,
  version: number,
): Decision {
  const { customer, jwks, tenant, url } = command;
  const { directory, keys, revoked } = mustBeOpen(state);
  if (directory?.url !== url) return NOTHING;
  const read = new Map(jwks.map((jwk) => [keyIdOf(jwk), jwk]));
  const fresh = [...read].filter(([key]) => !keys.has(key) && !revoked.has(key));
  const gone = [...keys].flatMap(([key, { source }]) => (source === 'directory' && !read.has(key) ? [key] : []));
  if (fresh.length + gone.length === 0) return NOTHING;
  if (keys.size - gone.length + fresh.length > ACCOUNT_KEYS_MAX) throw new Problem('too_many_keys');
  const decision = changed(
    ...([state, command, version] as const),
    ...gone.map((key) => eventOf('SigningKeyRevoked', { customer, key })),
    ...fresh.map(([key, jwk]) => eventOf('SigningKeyAdded', { customer, key, jwk, source: 'directory' })),
  );
  const rows = fresh.map(([, jwk]) => keyRow(command, jwk, 'directory', now));
  return { ...beside(decision, ...rows), removals: gone.map((key) => keyRemoval(tenant, key)) };
}

/** Repeatable. */
export function decideRevokeSigningKey(
  state: State,
  command: RevokeSigningKey,
  _now: number,
  version: number,
): Decision {
  const { customer, key, tenant } = command;
  if (!mustBeOpen(state).keys.has(key)) return NOTHING;
  const decision = changed(state, command, version, eventOf('SigningKeyRevoked', { customer, key }));
  return { ...decision, removals: [keyRemoval(tenant, key)] };
}

export function decideSuspend(state: State, command: SuspendAccount, _now: number, version: number): Decision {
  const { customer, reason } = command;
  if (mustBeOpen(state).suspended === reason) return NOTHING;
  return changed(state, command, version, eventOf('AccountSuspended', { customer, reason }));
}

export function decideResume(state: State, command: ResumeAccount, _now: number, version: number): Decision {
  const { customer } = command;
  if (mustBeOpen(state).suspended === undefined) return NOTHING;
  return changed(state, command, version, eventOf('AccountResumed', { customer }));
}

export function mustBeOpen(state: State): Account {
  if (state) return state;
  throw new Problem('not_found', 'No such account');
}

export function eventOf<Type extends AccountEvent['type']>(type: Type, data: Data<Type>) {
  return { type, schema: 1, data } as unknown as AccountEvent;
}

/** The events, and the account's row as it is then: whoever decides by the row names its revision. */
export function changed(
  state: State,
  { tenant }: AccountCommand,
  version: number,
  ...events: AccountEvent[]
): Decision {
  const account = events.reduce<State>(evolveAccount, state);
  return { events, attachments: [accountRow(tenant, account!, version + events.length)] };
}

function beside(decision: Decision, ...rows: Attachment[]): Decision {
  return { ...decision, attachments: [...decision.attachments!, ...rows] };
}
