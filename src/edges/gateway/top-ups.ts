import { Problem } from '../../base/shared/problem.js';
import type { AccountBook } from '../../domains/customers/account-book.js';
import type { Match } from '../../domains/pricing/host-router.js';
import { INVOICE, TOP_UP, topUpAmount } from '../../domains/pricing/top-up.js';
import type { PaidCall } from './paid-call.js';
import type { WholeAnswer } from './upstream/upstream.js';

export function isTopUp({ route }: Pick<Match, 'route'>): boolean {
  return route.id === TOP_UP;
}

export function isInvoice({ route }: Pick<Match, 'route'>): boolean {
  return route.id === INVOICE;
}

/** Whether a request pays into an account, be it by way of an invoice: nothing is sold, and no upstream is asked. */
export function paysIn(match: Pick<Match, 'route'>): boolean {
  return isTopUp(match) || isInvoice(match);
}

/** The account that a request pays into, if that is what it does. */
export function accountPaidInto(call: Pick<PaidCall, 'due' | 'params' | 'route'>): string | undefined {
  return isTopUp(call) ? call.params.customer : call.due?.customer;
}

/**
 * Before anything is offered or taken: whose account, and how much. A suspended account can be paid into.
 * @throws Problem `not_found`, `account_of_other_token`, `invalid_request`
 */
export function checkTopUp({ params, tenant }: Match, query: string, accounts: AccountBook): void {
  mustBePayable(tenant, params.customer!, accounts);
  if (topUpAmount(query) === undefined) {
    throw new Problem('invalid_request', 'amount: atomic units of the token in decimal, once, above zero');
  }
}

/** @throws Problem `not_found`, `account_of_other_token` */
export function mustBePayable(tenant: Match['tenant'], customer: string, accounts: AccountBook): void {
  const account = accounts.accountById(tenant.id, customer);
  if (!account) throw new Problem('not_found', 'No such account');
  if (account.asset !== tenant.asset || account.network !== tenant.network) throw new Problem('account_of_other_token');
}

/** What is answered once the money has moved. @param amount atomic units */
export function paidInAnswer(call: PaidCall, amount: string): WholeAnswer {
  const { asset, network } = call.tenant;
  const { invoice } = call.params;
  const customer = accountPaidInto(call);
  return jsonAnswer({ ...(invoice !== undefined && { invoice }), customer, paid_in: amount, network, asset });
}

export function jsonAnswer(value: object): WholeAnswer {
  const headers = [
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
  ] as const;
  return { kind: 'whole', status: 200, headers, body: Buffer.from(JSON.stringify(value)) };
}
