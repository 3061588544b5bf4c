import type { HoldRequest } from '../../base/event-store/unit-of-work.js';
import { paidIn } from '../limits/credit.js';
import { isExposure } from '../limits/exposure.js';
import type { Hold } from '../limits/hold.js';
import { countedAt, eventKeyOf } from '../limits/quota-key.js';
import type { PaymentAuthorized } from './payment.js';

type Authorized = Pick<PaymentAuthorized['data'], 'holds'>;
/** Of a payment into an account. */
type IntoAccount = Pick<PaymentAuthorized['data'], 'account' | 'tenant' | 'terms'>;

/** What an admission holds, as its event says it. */
export function holdsOf(requests: readonly HoldRequest[]): Hold[] {
  return requests.map((request) => ({ key: eventKeyOf(request), amount: request.delta.toString() }));
}

/** The unsettled value that is held: of the payer, and of the tenant where that has a limit. In mode `async` alone. */
export function exposureOf({ holds }: Authorized): readonly Hold[] {
  return holds.filter(({ key }) => isExposure(key));
}

/** What is held beside exposure: quotas and spending limits. */
export function quotasOf({ holds }: Authorized): readonly Hold[] {
  return holds.filter(({ key }) => !isExposure(key));
}

/** Nothing was delivered: everything is given back. */
export function releaseAll({ holds }: Authorized): HoldRequest[] {
  return holds.map(release);
}

/** The money has moved: the exposure is given back. What was used of quotas and spending limits stays used. */
export function releaseExposure(authorized: Authorized): HoldRequest[] {
  return exposureOf(authorized).map(release);
}

/** Takes exposure that was given back, whatever its limit. */
export function takeExposureAgain(authorized: Authorized): HoldRequest[] {
  return exposureOf(authorized).map(({ amount, key }) => ({ key, delta: BigInt(amount) }));
}

function release({ amount, key }: Hold): HoldRequest {
  return { ...countedAt(key), delta: -BigInt(amount) };
}

/** The money has moved: the account that it was paid into owes so much less. */
export function creditAccount(authorized: IntoAccount, amount = BigInt(authorized.terms.amount)): HoldRequest[] {
  const { account: customer, tenant } = authorized;
  return customer === undefined ? [] : [paidIn({ tenant, customer }, amount)];
}

/** It has not moved after all, or went back: taken from the account again, whatever was used of it. */
export function takeFromAccount(authorized: IntoAccount, amount = BigInt(authorized.terms.amount)): HoldRequest[] {
  return creditAccount(authorized, -amount);
}
