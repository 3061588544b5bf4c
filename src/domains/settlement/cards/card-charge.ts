import { createHash } from 'node:crypto';
import type { Address, Network } from '../../../base/shared/hex.js';

interface Event<Type extends string, Data extends object = Record<string, never>> {
  readonly type: Type;
  readonly schema: 1;
  readonly data: Data;
}

/** `chg_` and 24 hex digits. */
export type ChargeId = `chg_${string}`;
/** `crf_` and 24 hex digits. */
export type CardRefundId = `crf_${string}`;

/** An invoice is to be paid by card. Amounts of a charge are in minor units of its currency. */
export type CardChargeRequested = Event<
  'CardChargeRequested',
  {
    readonly tenant: string;
    readonly customer: string;
    readonly invoice: string;
    /** Of the invoice among those of the account. */
    readonly sequence: number;
    /** Counts the charges for this invoice from 1. */
    readonly attempt: number;
    /** Reminders of the invoice that had gone out. */
    readonly notice: number;
    /** The processor's id of the card. */
    readonly method: string;
    readonly amount: string;
    readonly currency: string;
    readonly description: string;
    readonly network: Network;
    readonly asset: Address;
    /** Atomic units of the token in a minor unit. */
    readonly scale: string;
  }
>;

/** From here on the processor may have it. */
export type CardChargeSubmitted = Event<'CardChargeSubmitted'>;

export type CardChargeSucceeded = Event<'CardChargeSucceeded', { readonly processorId: string }>;

/** What the processor keeps of a charge, once, when it is known. */
export type CardFeeTaken = Event<'CardFeeTaken', { readonly fee: string }>;

/** `final`: to ask again with the same card is pointless. A charge may still succeed later. */
export type CardChargeDeclined = Event<
  'CardChargeDeclined',
  { readonly processorId?: string; readonly code: string; readonly final: boolean }
>;

/** The customer's bank wants the customer to be there. */
export type CardActionRequired = Event<'CardActionRequired', { readonly processorId: string }>;

/** `surplus`: the invoice did not need it; `requested`: somebody gives it back. */
export type CardRefundReason = 'surplus' | 'requested';

export type CardRefundRequested = Event<
  'CardRefundRequested',
  { readonly refund: string; readonly amount: string; readonly reason: CardRefundReason }
>;

export type CardRefundSucceeded = Event<
  'CardRefundSucceeded',
  { readonly refund: string; readonly processorId: string }
>;

/** Also after it had succeeded: the bank sent it back. */
export type CardRefundFailed = Event<'CardRefundFailed', { readonly refund: string; readonly code: string }>;

/** The processor took the money back, because the customer's bank asked for it. */
export type DisputeOpened = Event<
  'DisputeOpened',
  {
    readonly dispute: string;
    readonly amount: string;
    readonly fee: string;
    readonly reason: string;
    readonly evidenceDue?: string;
  }
>;

export type DisputeEvidenceSubmitted = Event<
  'DisputeEvidenceSubmitted',
  { readonly dispute: string; readonly digest: string }
>;

/** The money is there again; `fee` is what the processor keeps nevertheless. */
export type DisputeWon = Event<'DisputeWon', { readonly dispute: string; readonly fee: string }>;

export type DisputeLost = Event<'DisputeLost', { readonly dispute: string }>;

export type CardChargeEvent =
  | CardChargeRequested
  | CardChargeSubmitted
  | CardChargeSucceeded
  | CardFeeTaken
  | CardChargeDeclined
  | CardActionRequired
  | CardRefundRequested
  | CardRefundSucceeded
  | CardRefundFailed
  | DisputeOpened
  | DisputeEvidenceSubmitted
  | DisputeWon
  | DisputeLost;

const STREAM = 'card-charge/';

export function cardChargeStream(tenant: string, charge: string): string {
  return `${STREAM}${tenant}/${charge}`;
}

/** The id that a stream of `cardChargeStream` ends with. */
export function chargeOfStream(stream: string): ChargeId {
  return stream.slice(stream.lastIndexOf('/') + 1) as ChargeId;
}

/** The same for the same attempt at the same invoice. */
export function chargeIdOf(tenant: string, invoice: string, attempt: number): ChargeId {
  return `chg_${hexOf(`${STREAM}${tenant}/${invoice}/${attempt}`)}`;
}

/** @param name tells the refunds of one charge apart */
export function cardRefundIdOf(tenant: string, charge: string, name: string): CardRefundId {
  return `crf_${hexOf(`${STREAM}${tenant}/${charge}/${name}`)}`;
}

function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
