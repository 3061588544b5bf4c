import { createHash } from 'node:crypto';
import { epochSeconds } from '../../base/shared/clock.js';
import type { DecodedPayment } from '../../base/x402/payment-header.js';
import type { AuthorizePayment } from '../../domains/payments/payment.decide.js';
import type { PaidCall } from './paid-call.js';
import type { AgreedTerms } from './terms.js';
import { accountPaidInto } from './top-ups.js';

/** What the log keeps of an admitted payment: terms and digests, no header, no query, no signature. */
export function authorizedTerms(
  call: PaidCall,
  payment: DecodedPayment,
  agreed: AgreedTerms,
  gateway: string,
  now: number,
): AuthorizePayment['terms'] {
  const { from, nonce, to, validAfter, validBefore, value } = payment.authorization;
  const account = accountPaidInto(call);
  const identifier = payment.x402Version === 2 ? payment.paymentIdentifier : undefined;
  return {
    tenant: call.tenant.id,
    route: call.route.id,
    method: call.method,
    resource: call.resource,
    requestDigest: call.digest,
    payloadDigest: payment.payloadDigest,
    x402Version: payment.x402Version,
    terms: {
      network: call.token.network,
      asset: call.token.address,
      payer: from,
      payee: to,
      amount: value.toString(),
      validAfter: validAfter.toString(),
      validBefore: validBefore.toString(),
      nonce,
    },
    tariff: agreed.tariff,
    ...(agreed.quote === undefined ? {} : { quote: agreed.quote }),
    units: agreed.units.toString(),
    urgency: call.urgency,
    ...(agreed.class === undefined ? {} : { class: agreed.class }),
    inputs: agreed.inputs,
    ...(account === undefined ? {} : { account }),
    authorizedAt: epochSeconds(now).toString(),
    idempotent: call.route.idempotent,
    gateway,
    ...(identifier === undefined ? {} : { identifier: createHash('sha256').update(identifier).digest('base64url') }),
  };
}
