import type { PoolClient } from 'pg';
import type { AccountAt, Write } from './unit-of-work.js';

/** An account is not as it was read: its keys, its credit line or its status may be others. Read it again and decide again. */
export class AccountChanged extends Error {
  constructor({ customer, revision, tenant }: AccountAt) {
    super(`the account of ${customer} at ${tenant} is not at revision ${revision} any more`);
  }
}

/**
 * Which of these accounts are not at the revision that is named, as it is committed now. Under the lock that `BEGIN_ADMITTING`
 * takes it stays so until the transaction ends: a key that was revoked, or a line that was lowered, is seen by everything that
 * is admitted after the answer.
 */
export async function readAccounts(
  client: PoolClient,
  asked: readonly AccountAt[],
): Promise<(account: AccountAt) => boolean> {
  if (asked.length === 0) return () => false;
  const { rows } = await client.query<AccountAt>({
    name: 'account-revisions',
    text: `select tenant, customer, revision from accounts
           where (tenant, customer) in (select * from unnest($1::text[], $2::text[]))`,
    values: [asked.map(({ tenant }) => tenant), asked.map(({ customer }) => customer)],
  });
  const revisions = new Map(rows.map(({ customer, revision, tenant }) => [`${tenant}/${customer}`, revision]));
  return ({ customer, revision, tenant }) => revisions.get(`${tenant}/${customer}`) !== revision;
}

export function changeOf({ account }: Write, changed: (account: AccountAt) => boolean): AccountChanged | undefined {
  return account && changed(account) ? new AccountChanged(account) : undefined;
}
