/** Error reasons of the version 1 protocol that apply to EVM payments; its clients type theirs as this closed list. */
export type V1Reason =
  | 'insufficient_funds'
  | 'invalid_exact_evm_payload_authorization_valid_after'
  | 'invalid_exact_evm_payload_authorization_valid_before'
  | 'invalid_exact_evm_payload_authorization_value'
  | 'invalid_exact_evm_payload_signature'
  | 'invalid_exact_evm_payload_recipient_mismatch'
  | 'invalid_network'
  | 'invalid_payment_requirements'
  | 'invalid_payment'
  | 'payment_expired'
  | 'invalid_transaction_state'
  | 'unexpected_settle_error';

/**
 * Every reason that a 402 of ours gives in `error` or `errorReason`: one sentence, and the version 1 reason nearest to it.
 * First the codes of the x402 version 2 specification (section on error handling), then the SDK's, then ours.
 * Codes are the product's contract: add, never rename. A header that cannot be read is a 400 `Problem` instead.
 */
export const reasons = {
  insufficient_funds: ['The payer does not hold enough of the token', 'insufficient_funds'],
  invalid_exact_evm_payload_authorization_valid_after: [
    'The authorization is not valid yet',
    'invalid_exact_evm_payload_authorization_valid_after',
  ],
  invalid_exact_evm_payload_authorization_valid_before: [
    'The authorization has expired, or expires too soon to be settled',
    'invalid_exact_evm_payload_authorization_valid_before',
  ],
  invalid_exact_evm_payload_authorization_value_mismatch: [
    'The authorized value is not the amount that was asked',
    'invalid_exact_evm_payload_authorization_value',
  ],
  invalid_exact_evm_payload_signature: [
    'The signature is not one that the token accepts from the payer',
    'invalid_exact_evm_payload_signature',
  ],
  invalid_exact_evm_payload_recipient_mismatch: [
    'The authorization pays somebody else',
    'invalid_exact_evm_payload_recipient_mismatch',
  ],
  invalid_network: ['This resource is not sold on that network', 'invalid_network'],
  invalid_payment_requirements: [
    'The accepted terms are not the ones that were offered',
    'invalid_payment_requirements',
  ],
  invalid_exact_evm_nonce_already_used: ['The authorization was used before', 'invalid_transaction_state'],
  payment_required: ['Payment is required for this resource', 'invalid_payment'],
  quote_missing: ['The payment does not echo the quote of the offer in accepted.extra', 'invalid_payment'],
  quote_invalid: ['The quote was not issued by this server, or was changed', 'invalid_payment'],
  quote_expired: ['The quote has expired; pay the new offer', 'payment_expired'],
  quote_for_another_request: ['The quote was given for another request', 'invalid_payment'],
  quote_for_another_payer: ['The quote was given to another payer', 'invalid_payment'],
  price_above_limit: [
    'The price is more than a spending limit of this payer allows; nothing was charged',
    'invalid_payment_requirements',
  ],
  price_not_in_force: ['No price in force asked this amount', 'invalid_exact_evm_payload_authorization_value'],
  authorization_cancelled: ['The payer cancelled the authorization', 'invalid_transaction_state'],
  authorization_expired: ['The authorization expired before it was settled', 'payment_expired'],
  nonce_used_elsewhere: ['The authorization was used for another transfer', 'invalid_transaction_state'],
  commitment_not_offered: ['This resource is not sold on account', 'invalid_payment_requirements'],
  commitment_signature_invalid: ['The signature is not one of a key of this account', 'invalid_payment'],
  commitment_not_yet_valid: ['The signature was made in the future; set the clock', 'invalid_payment'],
  commitment_expired: ['The signature has expired; sign the request again', 'payment_expired'],
  account_suspended: ['The account is suspended; pay at once', 'invalid_payment'],
  credit_line_reached: ['The credit line is used up; pay at once, or top up the account', 'insufficient_funds'],
  rejected_by_token: ['The token refused the transfer', 'invalid_transaction_state'],
} as const satisfies Record<string, readonly [sentence: string, v1: V1Reason]>;

export type Reason = keyof typeof reasons;

/** One sentence for people; codes are for programs. */
export function sentenceOf(reason: Reason): string {
  return reasons[reason][0];
}

/** The version 1 reason nearest to ours. */
export function v1ReasonOf(reason: Reason): V1Reason {
  return reasons[reason][1];
}
