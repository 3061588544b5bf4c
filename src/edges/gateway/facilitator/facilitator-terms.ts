import { epochSeconds } from '../../../base/shared/clock.js';
import type { Reason } from '../../../base/x402/errors.js';
import type { FacilitatorRequest } from '../../../base/x402/facilitator.js';
import { leastTimeoutSeconds, type Tenant } from '../../../domains/pricing/catalogue.schemas.js';
import { VALIDITY_MAX_SECONDS } from '../terms.js';

/**
 * Pure: why this payment is not the one that is required, or the one required not one to this tenant. Signature, balance
 * and nonce are not looked at.
 * @param now epoch milliseconds
 */
export function termsRefusal(request: FacilitatorRequest, tenant: Tenant, now: number): Reason | undefined {
  const { payment, requirements } = request;
  const { authorization } = payment;
  const network = payment.x402Version === 2 ? payment.accepted.network : payment.network;
  if (requirements.network !== tenant.network || network !== tenant.network) return 'invalid_network';
  if (requirements.asset !== tenant.asset || requirements.payTo !== tenant.payee) return 'invalid_payment_requirements';
  if (!isAccepted(request)) return 'invalid_payment_requirements';
  if (authorization.to !== tenant.payee) return 'invalid_exact_evm_payload_recipient_mismatch';
  if (authorization.value !== requirements.amount) return 'invalid_exact_evm_payload_authorization_value_mismatch';
  const seconds = BigInt(epochSeconds(now));
  if (authorization.validAfter > seconds) return 'invalid_exact_evm_payload_authorization_valid_after';
  const left = authorization.validBefore - seconds;
  if (left < leastTimeoutSeconds(0) || left > VALIDITY_MAX_SECONDS)
    return 'invalid_exact_evm_payload_authorization_valid_before';
  return undefined;
}

/** Version 1 accepts nothing in words. */
function isAccepted({ payment, requirements }: FacilitatorRequest): boolean {
  if (payment.x402Version === 1) return true;
  const { amount, asset, payTo } = payment.accepted;
  return amount === requirements.amount && asset === requirements.asset && payTo === requirements.payTo;
}
