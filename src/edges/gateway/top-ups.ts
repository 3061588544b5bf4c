import { Problem } from '../../base/shared/problem.js';
import type { AccountBook } from '../../domains/customers/account-book.js';
import type { Match } from '../../domains/pricing/host-router.js';
import { TOP_UP, topUpAmount } from '../../domains/pricing/top-up.js';
import type { PaidCall } from './paid-call.js';
import type { WholeAnswer } from './upstream/upstream.js';

export function isTopUp({ route }: Pick<Match, 'route'>): boolean {
  return route.id === TOP_UP;
}

/** The account that a request pays into, if that is what it does. */
export function accountPaidInto(call: Pick<PaidCall, 'params' | 'route'>): string | undefined {
  return isTopUp(call) ? call.params.customer : undefined;
}

/**
 * Before anything is offered or taken: whose account, and how much. A suspended account can be paid into.
 * @throws Problem `not_found`, `invalid_request`
 */
export function checkTopUp({ params, tenant }: Match, query: string, accounts: AccountBook): void {
  const account = accounts.accountById(tenant.id, params.customer!);
  if (!account) throw new Problem('not_found', 'No such account');
  if (account.asset !== tenant.asset || account.network !== tenant.network) throw new Problem('account_of_other_token');
  if (topUpAmount(query) === undefined) {
    throw new Problem('invalid_request', 'amount: atomic units of the token in decimal, once, above zero');
  }
}

/** What a top-up is answered with, once the money has moved. */
export function topUpAnswer({ params, query, tenant }: PaidCall): WholeAnswer {
  const amount = topUpAmount(query)!.toString();
  const { asset, network } = tenant;
  const body = Buffer.from(JSON.stringify({ customer: params.customer, paid_in: amount, network, asset }));
  const headers = [
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
  ] as const;
  return { kind: 'whole', status: 200, headers, body };
}
