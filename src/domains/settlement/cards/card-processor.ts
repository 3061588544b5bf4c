/** What a charge of ours asks of a processor. Told again it must be the same, to the letter: the processor knows a repetition by it. */
export interface CardChargeRequest {
  /** Ours: `chg_…`. */
  readonly charge: string;
  readonly tenant: string;
  readonly customer: string;
  /** The processor's id of the card, as its setup answered. */
  readonly method: string;
  /** Minor units, above zero. */
  readonly amount: bigint;
  /** ISO 4217, upper case. */
  readonly currency: string;
  readonly description: string;
}

/** What the processor says of one charge of ours. */
export type ChargeWord =
  /** The fee in minor units of the charge's currency, if the processor knows it yet. */
  | { readonly kind: 'succeeded'; readonly processorId: string; readonly fee?: bigint }
  /** Final: to ask again with the same card is pointless. */
  | { readonly kind: 'declined'; readonly processorId?: string; readonly code: string; readonly final: boolean }
  /** The customer has to be there. */
  | { readonly kind: 'requires_action'; readonly processorId: string }
  | { readonly kind: 'processing'; readonly processorId: string }
  /** A time-out, a lost connection, 5xx, 409, 429, 401 or 403: never a decline. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** Only when asked for: it has none with our id. */
  | { readonly kind: 'absent' };

export interface CardRefundRequest {
  /** Ours: `crf_…`. */
  readonly refund: string;
  /** The processor's id of the charge. */
  readonly processorId: string;
  /** Minor units, above zero. */
  readonly amount: bigint;
}

/** What the processor says of one refund of ours. */
export type RefundWord =
  | { readonly kind: 'succeeded'; readonly processorId: string }
  /** Also long after it had succeeded: the bank sent it back. */
  | { readonly kind: 'failed'; readonly processorId?: string; readonly code: string }
  | { readonly kind: 'processing'; readonly processorId: string }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'absent' };

export type DisputeStatus = 'needs_response' | 'under_review' | 'won' | 'lost';

/** What the processor says of one dispute. */
export interface DisputeWord {
  /** The processor's id of it. */
  readonly disputeId: string;
  /** The processor's id of the charge. */
  readonly processorId: string;
  /** Minor units that the processor took back. */
  readonly amount: bigint;
  /** Minor units that it asks for the dispute itself. */
  readonly fee: bigint;
  readonly reason: string;
  readonly status: DisputeStatus;
  /** RFC 3339: until when evidence is taken. */
  readonly evidenceDue?: string;
}

/** The card that a setup came to; never its number. */
export interface CardOnFile {
  readonly brand: string;
  readonly last4: string;
  /** `2030-04`. */
  readonly expires: string;
}

export type CardSetupWord =
  | { readonly kind: 'ready'; readonly method: string; readonly card: CardOnFile }
  /** The customer has not told a card yet. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'absent' };

export interface CardSetupRequest {
  /** Ours: `cst_…`. */
  readonly setup: string;
  readonly tenant: string;
  readonly customer: string;
}

export interface CardSetupStarted {
  /** The processor's id of the setup. */
  readonly processorId: string;
  /** Given to the customer's browser, once. Never stored, never logged. */
  readonly clientSecret: string;
}

export interface DisputeEvidence {
  /** What happened, at most 20,000 characters. */
  readonly text: string;
  /** The invoice, if there is a document of it. */
  readonly pdf?: Buffer;
}

export type EvidenceWord =
  | { readonly kind: 'submitted' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Moves money by card at a processor of one tenant. What it cannot tell is `unknown`, never thrown and never a decline; but
 * `startCardSetup` throws, since nothing has to be known of a setup that nobody was given.
 */
export interface CardProcessor {
  /** @throws Problem `card_processor_unavailable` if the processor did not answer, or refused */
  startCardSetup(request: CardSetupRequest): Promise<CardSetupStarted>;
  /** @param processorId as `startCardSetup` answered */
  findCardSetup(processorId: string): Promise<CardSetupWord>;
  /** Once, however often it is told: looks for the charge before it makes one. */
  charge(request: CardChargeRequest): Promise<ChargeWord>;
  findCharge(charge: string, method: string): Promise<ChargeWord>;
  refund(request: CardRefundRequest): Promise<RefundWord>;
  findRefund(refund: string, processorId: string): Promise<RefundWord>;
  /** @returns those of one charge; nothing is known of them if it did not answer */
  findDisputes(
    processorId: string,
  ): Promise<readonly DisputeWord[] | { readonly kind: 'unknown'; readonly why: string }>;
  /** @param key the same for the same evidence: told twice, it is taken once */
  submitEvidence(disputeId: string, key: string, evidence: DisputeEvidence): Promise<EvidenceWord>;
}

/** Which of ours an event of the processor is about: a reason to look, and nothing more. Empty for kinds that do not concern us. */
export interface CardHint {
  /** Ours: `chg_…`, where the event says it. */
  readonly charge?: string;
  /** The processor's id of the charge: all that disputes say, and refunds that others made. */
  readonly processorId?: string;
  /** The processor's id of the setup. */
  readonly setup?: string;
}

export interface CardWebhook {
  /** The signature is looked at before the body is parsed. */
  read(rawBody: Buffer, signatureHeader: string | undefined, at: Date): Promise<CardHint | 'bad_signature'>;
}

/** What a tenant has with a processor. Secrets: encrypted at rest, never in an event, never logged. */
export interface CardCredentials {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** Origin of the API, without a slash at its end. */
  readonly apiBase: string;
  /** May it be at an address that is not on the public Internet? */
  readonly allowPrivate: boolean;
}

export interface CardProcessors {
  processorOf(credentials: CardCredentials): CardProcessor;
  webhookOf(credentials: CardCredentials): CardWebhook;
}
