import { createHash } from 'node:crypto';
import type { Attachment, HoldRequest } from '../../base/event-store/unit-of-work.js';
import { Problem } from '../../base/shared/problem.js';
import type { Plan } from './payment.decide.js';
import { holdsOf } from './payment.holds.js';
import type { Payment, PaymentAuthorized, PaymentId, RequestDelivered } from './payment.js';

/** Route and tariff of a payment for what another server sells. No route or tariff that is published can have this id. */
export const FACILITATOR = '-facilitator';

/**
 * Takes a payment that another server of the tenant has delivered for, or is about to. Both events are written in one step,
 * so that nothing is interrupted between them, and settling begins at once.
 */
export class TakeFacilitated {
  readonly known = undefined;

  constructor(
    readonly paymentId: PaymentId,
    readonly terms: Omit<PaymentAuthorized['data'], 'mode' | 'holds' | 'route' | 'tariff'>,
    readonly attachments: readonly Attachment[],
    /** What it takes of quotas and spending limits; without all of it, it is refused. */
    readonly quotas: readonly HoldRequest[],
  ) {}
}

/** Nothing passed through here: the answer is the other server's. */
const delivered: RequestDelivered['data'] = {
  status: 200,
  responseDigest: createHash('sha256').digest('base64url'),
  bytes: 0,
  latencyMs: 0,
  kept: false,
};

/** @throws Problem `authorization_used_elsewhere` */
export function decideTakeFacilitated(state: Payment, command: TakeFacilitated): Plan {
  if (state.status !== 'unknown') throw new Problem('authorization_used_elsewhere');
  const { attachments, quotas, terms } = command;
  const tariff = { id: FACILITATOR, version: 1 };
  const data = { ...terms, route: FACILITATOR, tariff, mode: 'after' as const, holds: holdsOf(quotas) };
  return {
    holds: quotas,
    events: [
      { type: 'PaymentAuthorized', schema: 4, data },
      { type: 'RequestDelivered', schema: 1, data: delivered },
    ],
    attachments,
    admits: { tenant: terms.tenant, payer: terms.terms.payer },
  };
}
