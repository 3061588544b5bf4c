import type { PoolClient } from 'pg';
import type { NewEvent } from './event.js';
import type { Rolling, Slots } from './rolling-sum.js';

/** A row that must be stored together with the events, beside the log. */
export interface Attachment {
  readonly table: AttachmentTable;
  readonly row: Readonly<Record<string, unknown>>;
}

export type AttachmentTable =
  | 'authorizations'
  | 'answers'
  | 'tenants'
  | 'routes'
  | 'tariffs'
  | 'limits'
  | 'customer_details'
  | 'payer_standings'
  | 'customer_keys'
  | 'facilitator_keys'
  | 'ingestion_keys'
  | 'meters'
  | 'tenant_facilitators'
  | 'customer_tariffs'
  | 'allowances'
  | 'running_free_requests'
  | 'chain_transfers'
  | 'chain_wallets'
  | 'accounts'
  | 'account_keys'
  | 'account_wallets'
  | 'commitment_evidence'
  | 'tenant_clocks'
  | 'invoice_parties'
  | 'card_accounts'
  | 'card_setups';

/** A row beside the log that goes when the events are stored; one that is not there is no error. */
export interface Removal {
  readonly table: AttachmentTable;
  /** Every column of the table's key. */
  readonly key: Readonly<Record<string, string>>;
}

/** A change of one hold total, in the units of its key. */
export interface HoldRequest {
  readonly key: string;
  readonly delta: bigint;
  /** What would leave the total above it is refused, unless it is a decrease; without it, nothing is. */
  readonly limit?: bigint;
  /** `true`: being refused refuses the whole write (`HoldsRefused`). Otherwise `decide` is told. */
  readonly hard?: boolean;
  /** The total may be below zero: of money, what was paid in advance. Say it in every change of the key, or in none. */
  readonly signed?: boolean;
  /** The total is a sum over slots of time, and the change belongs to one of them. */
  readonly rolling?: Rolling;
  /** When nobody asks for the total any more, in epoch milliseconds; without it, it stays. */
  readonly expiresAt?: number;
}

/** A hard hold that was granted. */
export interface GrantedHold {
  readonly request: HoldRequest;
  /** What is held, with it. */
  readonly held: bigint;
}

/** An increase that its limit did not allow. Nothing of its write was stored. */
export interface RefusedHold {
  readonly request: HoldRequest;
  /** What was held, without it. */
  readonly held: bigint;
  /** What that consists of, if it is a rolling sum. */
  readonly slots?: Slots;
}

/** What a write asked for passes a hard limit. Names every hard limit that is in its way. */
export class HoldsRefused extends Error {
  constructor(readonly refused: readonly RefusedHold[]) {
    super(`over the limit: ${refused.map(({ request }) => request.key).join(', ')}`);
  }
}

/** A write that refuses itself, and no other of the batch, after it has looked at the database. */
export class WriteRefused extends Error {}

/** A payer as one tenant knows it. */
export interface PayerAt {
  readonly tenant: string;
  readonly payer: string;
}

/** A customer's account as it was read, by the version of its stream. */
export interface AccountAt {
  readonly tenant: string;
  readonly customer: string;
  readonly revision: number;
}

export interface StreamClaim {
  readonly stream: string;
  readonly expectedVersion: number;
  readonly event: NewEvent;
}

export interface Decision {
  readonly events: readonly NewEvent[];
  readonly attachments?: readonly Attachment[];
  readonly removals?: readonly Removal[];
}

/**
 * One write to one stream. Many writes share a transaction (group commit), but each stands or falls alone.
 * Lock order inside the transaction: standings, holds in key order, what `prepare` locks, attachments in key order, the log last.
 */
export interface Write {
  readonly stream: string;
  readonly tenant: string;
  /** Version the stream must be at; `NEW_STREAM` (0) claims it. */
  readonly expectedVersion: number;
  /** A second stream that must stand where expected, and gets its event in the same step or not at all. */
  readonly claim?: StreamClaim;
  /** At most one for a key. Those that are not hard are granted together or not at all. */
  readonly holds?: readonly HoldRequest[];
  /** The write is refused with `PayerDenied` if this payer is denied when it is committed. */
  readonly admits?: PayerAt;
  /** The write is refused with `AccountChanged` if this account is not as it was read when it is committed. */
  readonly account?: AccountAt;
  /** Waits for the writes that ask for a payer's standing or an account and are under way; later ones see what this one stores. */
  readonly changesStandings?: boolean;
  /**
   * Runs within the transaction, behind the locks of holds: for rows of which the database decides whether they are new. What it
   * stores is stored with the events. It may run again, from scratch. Throws `WriteRefused` to store nothing.
   */
  prepare?(client: PoolClient): Promise<void>;
  /** Pure: what to store, given whether the holds that are not hard were granted (`true` also when there are none). */
  decide(held: boolean): Decision;
}

/** What `append` resolves to. */
export interface Appended {
  /** Version of the stream's last event now. */
  readonly version: number;
  /** Position of the last event written. */
  readonly position: bigint;
  readonly events: readonly NewEvent[];
  /** The hard holds that were taken with it. */
  readonly granted?: readonly GrantedHold[];
}

export interface EventWriter {
  /** Resolves when durable. Rejects with `VersionConflict` if the stream moved, with `HoldsRefused` if a hard limit is reached. */
  append(write: Write): Promise<Appended>;
}
