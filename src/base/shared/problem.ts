/**
 * Every error a caller can see, as RFC 9457 problem details: a stable code, its HTTP status, and what to do.
 * Codes are the product's contract: add, never rename.
 */
export const problems = {
  // payment header
  malformed_payment: [400, 'The payment header is not base64 of a payment object'],
  payment_header_too_large: [400, 'The payment header is larger than this server decodes'],
  duplicate_payment_header: [400, 'Send exactly one payment header'],
  unsupported_x402_version: [400, 'This server speaks x402 versions 1 and 2'],
  unsupported_scheme: [400, 'This server takes payments of the exact scheme, and commitments if it offers them'],
  invalid_payment_identifier: [400, 'A payment identifier is 16 to 128 letters, digits, hyphens or underscores'],
  // signature of a commitment
  malformed_signature: [400, 'The signature of the request is not one that this server reads (RFC 9421)'],
  content_digest_mismatch: [400, 'The body is not the one that Content-Digest names'],
  commitment_nonce_reused: [409, 'This nonce already signed another request; sign with a new one'],
  // use of an authorization
  authorization_used_elsewhere: [409, 'This authorization already bought another request; sign a new one'],
  replay_needs_same_payment: [409, 'A repeat must present exactly the payment that was presented first'],
  payment_identifier_conflict: [409, 'This payment identifier already names another request'],
  delivery_interrupted: [
    409,
    'Delivery was interrupted and nothing was charged; sign a new authorization to try again',
  ],
  replay_closed: [409, 'The stored answer closed when the authorization was broadcast'],
  answer_not_kept: [409, 'The answer is no longer kept'],
  request_name_reused: [409, 'This name already names another request; choose a new one'],
  free_request_ended: [
    409,
    'The request of this name has ended without an answer and used nothing; name a new one to try again',
  ],
  payment_refunded: [
    409,
    'Nothing was delivered for this payment and it was sent back; sign a new authorization to try again',
  ],
  delivery_in_progress: [409, 'The request is still running; present the same payment again to get its answer'],
  // who calls, and who is served
  invalid_customer_key: [401, 'This key is not known, has expired or was revoked; send another one, or none'],
  key_out_of_scope: [403, 'This key is not good for this route; send one that is, or none'],
  invalid_sign_in: [401, 'This sign-in is not valid, or not any more; sign a new one, or send none'],
  too_many_keys: [409, 'There are as many keys as there may be; revoke one first'],
  facilitator_key_required: [
    401,
    'Send a facilitator key as a bearer token: it is not there, not known or was revoked',
  ],
  payer_denied: [403, 'This provider does not serve this payer; nothing was charged'],
  // request
  route_not_found: [404, 'No such route'],
  tenant_not_found: [404, 'No provider is configured for this host'],
  not_found: [404, 'No such resource'],
  method_not_allowed: [405, 'This route does not serve that method'],
  request_too_large: [413, 'The request body is larger than this route takes'],
  path_too_long: [414, 'The path is longer than the headers of an offer can name'],
  invalid_request: [400, 'The request is not valid'],
  as_of_not_reached: [409, 'The ledger has not come to that point yet; ask again soon'],
  unauthorized: [401, 'Send the admin key as a bearer token'],
  // limits
  rate_limited: [429, 'Too many requests; come back when Retry-After is over'],
  quota_exceeded: [429, 'The quota is used up; nothing was charged'],
  spending_limit_reached: [429, 'The spending limit is reached; nothing was charged'],
  // writes of the control plane
  idempotency_key_required: [400, 'Send an Idempotency-Key, a fresh one for each thing you want done'],
  idempotency_key_invalid: [400, 'An Idempotency-Key is a string of 1 to 255 printable ASCII characters'],
  idempotency_key_in_progress: [409, 'The first request with this Idempotency-Key is still running; try again soon'],
  idempotency_key_reused: [422, 'This Idempotency-Key came with another request before; use a fresh one'],
  precondition_failed: [412, 'It is not as If-Match or If-None-Match expects; get it again, then decide'],
  precondition_required: [428, 'This would overwrite what stands: send its ETag as If-Match'],
  network_not_served: [422, 'Nobody can be paid on that network here; choose one that is served'],
  host_taken: [409, 'Another tenant has that host'],
  route_conflict: [409, 'Another route of this tenant serves that pattern'],
  tariff_not_published: [422, 'The tariff that the route names is not published; publish it first'],
  // usage events
  ingestion_key_required: [401, 'Send an ingestion key as a bearer token: it is not there, not known or was revoked'],
  unsupported_media_type: [415, 'Send a CloudEvent over HTTP: binary, structured or batch, as JSON'],
  invalid_usage_event: [400, 'This is no usage event: correct it and send it again'],
  usage_type_unknown: [400, 'No meter of yours counts events of this type; publish one first'],
  usage_customer_unknown: [400, 'This customer has no account'],
  usage_in_future: [400, 'The event is from the future: look at the clock of its sender'],
  usage_too_late: [400, 'The event is later than its meter allows'],
  usage_id_reused: [409, 'Another event was taken under this source and id; an event has an id of its own'],
  usage_replaces_unknown: [409, 'The event that this one replaces is not there; send that one first'],
  usage_already_replaced: [
    409,
    'The event that this one replaces is replaced already; replace what stands in its place',
  ],
  usage_batch_refused: [422, 'Some events of the batch are rejected, so none was taken'],
  ingestion_busy: [503, 'As many events are under way as fit; nothing was taken, send them again after Retry-After'],
  unknown_invoice: [404, 'There is no such invoice'],
  invoice_not_final: [409, 'The invoice is a draft still; end its grace first'],
  invoice_not_open: [409, 'Nothing is outstanding of the invoice'],
  invoice_void: [410, 'The invoice was voided: nothing of it is to be paid'],
  payment_reference_reused: [
    409,
    'A payment of another amount has this reference; send what was sent first, or another reference',
  ],
  payment_exceeds_invoice: [409, 'Less is outstanding of the invoice'],
  credit_exceeds_invoice: [409, 'Less is left of the invoice, or of the line, than is to be credited'],
  unknown_credit_note: [404, 'There is no such credit note'],
  card_not_charged: [409, 'Only a charge that succeeded can be refunded; this one has not, or not yet'],
  unknown_dispute: [404, 'There is no such dispute'],
  card_processor_missing: [409, 'This tenant takes no cards: set its card processor first'],
  webhook_signature_invalid: [400, 'The event is not signed by the secret of this endpoint, or too long ago'],
  evidence_refused: [409, 'The card processor takes no evidence for this dispute'],
  unknown_bank_line: [404, 'There is no such line of a bank statement'],
  bank_line_taken: [409, 'The line is matched already, or just was; undo that first'],
  bank_line_unmatched: [409, 'No payment of the invoice is of this amount; name another invoice, or ignore the line'],
  bank_line_ambiguous: [409, 'Several payments of the invoice are of this amount; name one as `payment`'],
  bank_line_currency: [409, 'The line is in another currency than the invoice'],
  invoice_final: [409, 'The invoice is final already'],
  nothing_to_bill: [409, 'What is not billed yet comes to nothing; the draft waits for the next period'],
  clock_is_real: [409, 'The clock of this tenant is the real one: it had accounts before it was put forward'],
  clock_goes_back: [409, 'A clock only goes forward; name a later time'],
  meter_fixed: [409, 'A meter counts the same for ever; publish another one, and withdraw this'],
  route_busy: [503, 'The provider is busy; nothing was charged and the payment can be used again'],
  // accounts
  signing_key_taken: [409, 'Another account of this tenant has that key; make a new one'],
  signing_key_revoked: [409, 'That key was revoked and stays so; make a new one'],
  key_directory_unreadable: [502, 'The key directory cannot be read; nothing has changed'],
  wallet_taken: [409, 'Another account of this tenant has that wallet; detach it there first'],
  too_many_wallets: [409, 'An account has 20 wallets at most; detach one first'],
  account_of_other_token: [409, 'The provider takes another token now than the one that the account is kept in'],
  // refunds
  payment_not_settled: [409, 'Only a payment that was made can be refunded; this one is not, or not yet'],
  refund_exceeds_payment: [409, 'The refunds of a payment are never more than its amount'],
  refund_not_mined: [409, 'That transaction is in no block of this chain; try again when it is'],
  refund_not_found: [409, 'No transfer in that transaction refunds this payment'],
  refund_ambiguous: [409, 'Several transfers in that transaction could refund this payment; name one by its log_index'],
  refund_not_cancellable: [409, 'Only a refund that is neither sent nor ended can be cancelled'],
  too_many_refunds: [409, 'This payment has had as many refund requests as there may be'],
  refund_wallet_missing: [409, 'This server has no refund wallet: set TOLLBOOK_REFUND_KEY, or refund from the payee'],
  transfer_not_open: [
    409,
    'Only a receipt that no payment explains can be resolved; this one is under way, matched or in no block any more',
  ],
  transfer_already_counted: [409, 'That transfer refunds another payment already'],
  // log
  event_not_sealed: [409, 'The event is not sealed yet; ask again in a few seconds'],
  event_altered: [409, 'The event is not what was sealed; run verify'],
  // upstream
  upstream_unreachable: [502, 'The provider did not answer; nothing was charged'],
  upstream_timeout: [504, 'The provider took too long; nothing was charged'],
  upstream_broke_off: [502, 'The provider broke its answer off; nothing was charged'],
  answer_too_large_to_hold: [502, 'The answer is too large to hold until it is settled; nothing was charged'],
  refund_owed: [502, 'The payment was made and nothing was delivered; ask the seller to send it back'],
  card_processor_unavailable: [502, 'The card processor did not do it; nothing has changed, try again soon'],
  upstream_forbidden: [502, 'The provider is configured with an address that this server may not call'],
  // this server
  screening_unavailable: [503, 'Payers cannot be screened right now, so no payment is taken; try again soon'],
  paid_not_run: [503, 'The payment is made and its request has not run; present the same payment again'],
  settlement_pending: [504, 'Settlement is not known yet; present the same payment again to get the answer'],
  payment_network_unavailable: [
    503,
    'This provider is paid on a network that is not served here, so no payment is taken; nothing was charged',
  ],
  settlement_unavailable: [
    503,
    'Nobody here can pay for the gas of settling on this chain right now, so no payment is taken; try again soon',
  ],
  chain_unavailable: [503, 'The chain cannot be asked right now, so no payment is taken; try again soon'],
  store_unavailable: [503, 'The book cannot be written right now, so no payment is taken; try again soon'],
  shutting_down: [503, 'This server is shutting down; try again'],
  internal_error: [500, 'Something went wrong on our side'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof problems;

/** One thing that is wrong with a request, and where (RFC 9457, section 3). */
export interface ProblemError {
  readonly detail: string;
  /** JSON pointer into the body as a URI fragment (RFC 6901, section 6). */
  readonly pointer?: string;
  /** Name of a parameter of the query. */
  readonly parameter?: string;
}

/** An expected refusal. Thrown by edges and by rules that have no better way to say no. */
export class Problem extends Error {
  readonly status: number;

  constructor(
    readonly code: ProblemCode,
    readonly detail?: string,
    /** Header fields that belong to the reply, such as `Retry-After`. */
    readonly headers: Readonly<Record<string, string>> = {},
    /** Everything that is wrong, if there is more to say than `detail` does. */
    readonly errors?: readonly ProblemError[],
    /** The limits that were in the way, by name. */
    readonly violatedPolicies?: readonly string[],
  ) {
    super(detail ?? problems[code][1]);
    this.status = problems[code][0];
  }

  /** The `application/problem+json` body. */
  toJSON(): Record<string, unknown> {
    return {
      type: `urn:tollbook:problem:${this.code}`,
      title: problems[this.code][1],
      status: this.status,
      code: this.code,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      ...(this.violatedPolicies === undefined ? {} : { 'violated-policies': this.violatedPolicies }),
    };
  }
}

/** A problem `invalid_request` that lists all faults, and whose detail is the first one. @param whole what a fault of no member is of */
export function invalidRequest(errors: readonly [ProblemError, ...ProblemError[]], whole = 'body'): Problem {
  const [{ detail, parameter, pointer }] = errors;
  const place = pointer === '#' ? '' : (pointer ?? parameter);
  return new Problem('invalid_request', `${place || whole}: ${detail}`, {}, errors);
}

/** @throws Problem `invalid_request` if there are any */
export function refuseFaults([first, ...others]: readonly ProblemError[]): void {
  if (first) throw invalidRequest([first, ...others]);
}
