import { randomBytes } from 'node:crypto';
import type { CardChargeRequest, CardCredentials } from '../../src/domains/settlement/cards/card-processor.js';
import type { CardOutcome } from '../stripe-server/outcomes.js';
import type { StripeAccount } from './stripe.js';

/** How a tenant with this account reaches it. */
export function credentialsOf(account: StripeAccount, change: Partial<CardCredentials> = {}): CardCredentials {
  const { secretKey, url, webhookSecret } = account;
  return { secretKey, webhookSecret, apiBase: url, allowPrivate: true, ...change };
}

export function chargeRequest(method: string, change: Partial<CardChargeRequest> = {}): CardChargeRequest {
  const charge = `chg_${randomBytes(12).toString('hex')}`;
  const whose = { tenant: 'demo', customer: 'cus_1', description: 'Invoice INV-000001' };
  return { ...whose, charge, method, amount: 1_250n, currency: 'USD', ...change };
}

/** A card that can be charged, and what its bank says each time. */
export async function newCard(account: StripeAccount, ...outcomes: CardOutcome[]): Promise<string> {
  const { id } = await account.order('add_card', {});
  if (outcomes.length > 0) await account.order('outcomes', { method: id, outcomes });
  return id;
}
