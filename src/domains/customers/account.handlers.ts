import type { Type } from '@nestjs/common';
import { type Rule, ruleHandler } from '../../base/event-store/rule-handler.js';
import { Problem, type ProblemCode } from '../../base/shared/problem.js';
import {
  type AccountCommand,
  AddSigningKey,
  AttachWallet,
  DetachWallet,
  decideAddKey,
  decideAttachWallet,
  decideBilling,
  decideCreditLine,
  decideDetachWallet,
  decideOpenAccount,
  decideRemoveDirectory,
  decideResume,
  decideRevokeSigningKey,
  decideSetDirectory,
  decideSuspend,
  decideTakeDirectoryKeys,
  decideWayToPay,
  OpenAccount,
  RemoveKeyDirectory,
  ResumeAccount,
  RevokeSigningKey,
  SetBilling,
  SetCreditLine,
  SetKeyDirectory,
  SetWayToPay,
  SuspendAccount,
  TakeDirectoryKeys,
} from './account.decide.js';
import { type Account, type AccountEvent, accountStream, evolveAccount } from './account.js';
import { decideFollowInvoices, FollowInvoices } from './account-overdue.decide.js';

/** A key or a wallet belongs to one account of a tenant: the primary keys decide between two. */
const TAKEN: Readonly<Record<string, ProblemCode>> = {
  account_keys_pkey: 'signing_key_taken',
  account_wallets_pkey: 'wallet_taken',
};

function refusalOf(error: unknown): unknown {
  const code = TAKEN[(error as { constraint?: string }).constraint ?? ''];
  return code === undefined ? error : new Problem(code);
}

/** Apart from every admission: what is let in on credit is before a change of its account, or decided by what it says. */
const accountHandler = <C extends AccountCommand>(
  command: Type<C>,
  decide: Rule<C, AccountEvent, Account | undefined>['decide'],
) =>
  ruleHandler<C, AccountEvent, Account | undefined>(command, {
    place: ({ customer, tenant }) => ({ tenant, stream: accountStream(tenant, customer) }),
    initial: undefined,
    evolve: evolveAccount,
    exists: (account) => account !== undefined,
    changesStandings: true,
    decide,
    refusalOf,
  });

/** Apart, for the workers that follow invoices. */
export const followInvoicesHandler = accountHandler(FollowInvoices, decideFollowInvoices);

/** Apart, for who hears of a customer's card. */
export const wayToPayHandler = accountHandler(SetWayToPay, decideWayToPay);

export const accountHandlers = [
  accountHandler(OpenAccount, decideOpenAccount),
  accountHandler(SetCreditLine, decideCreditLine),
  accountHandler(SetBilling, decideBilling),
  wayToPayHandler,
  accountHandler(AttachWallet, decideAttachWallet),
  accountHandler(DetachWallet, decideDetachWallet),
  accountHandler(AddSigningKey, decideAddKey),
  accountHandler(RevokeSigningKey, decideRevokeSigningKey),
  accountHandler(SetKeyDirectory, decideSetDirectory),
  accountHandler(RemoveKeyDirectory, decideRemoveDirectory),
  accountHandler(TakeDirectoryKeys, decideTakeDirectoryKeys),
  accountHandler(SuspendAccount, decideSuspend),
  accountHandler(ResumeAccount, decideResume),
  followInvoicesHandler,
];
