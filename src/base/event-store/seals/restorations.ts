import type { Pool, PoolClient } from 'pg';
import { canonicalJson } from '../../shared/json.js';
import { ofStream } from '../stream-key.js';
import type { EventWriter } from '../unit-of-work.js';
import { type SealKeys, type SealSigner, SignatureCheck } from './seal.js';

export const RESTORATIONS = 'log/restorations';
/** The log is no tenant's. */
const TENANT = '*';

/** The database came back older than the witness: what the seals named cover is not what the log holds now. */
export interface LogRestored {
  readonly type: 'LogRestored';
  readonly schema: 1;
  readonly data: {
    /**
     * Positions, decimal, both included. The seals that follow begin at `lostFrom` again: over what the log still has from
     * there on, which nobody can tell from the lost ones any more by their seals, and over other events.
     */
    readonly lostFrom: string;
    readonly lostTo: string;
    /** The log's last position when it was found: what lies behind it was lost in any case. */
    readonly head: string;
    /** First and last number of the seals that the log no longer bears out. */
    readonly seals: { readonly from: number; readonly to: number };
  };
}

type Seals = LogRestored['data']['seals'];

/**
 * Somebody has said that the loss is known. What counts is the signature: the event alone anybody can write who has the
 * database, and so could explain a history of his own by a backup that never was.
 */
export interface LossAccepted {
  readonly type: 'LossAccepted';
  readonly schema: 2;
  readonly data: {
    readonly seals: Seals;
    /** Compact JWS over `acceptanceOf` the loss; missing in events of version 1, which accept nothing any more. */
    readonly signature?: string;
  };
}

export interface LossAcceptedV1 {
  readonly type: 'LossAccepted';
  readonly schema: 1;
  readonly data: { readonly seals: Seals };
}

export interface Restoration {
  readonly lostFrom: bigint;
  readonly lostTo: bigint;
  readonly head: bigint;
  readonly seals: Seals;
  readonly accepted: boolean;
}

interface RestorationRow {
  version: number;
  type: string;
  data: LogRestored['data'] & LossAccepted['data'];
}

/**
 * All losses on record, oldest first, and the version of their stream.
 *
 * @param keys that acceptances may be signed with
 */
export async function readRestorations(db: Pool | PoolClient, keys: SealKeys) {
  const { rows } = await db.query<RestorationRow>(
    `select version, type, data from events where ${ofStream} order by version`,
    [RESTORATIONS],
  );
  const signatures = new SignatureCheck(keys);
  const signed = rows.flatMap(({ data, type }) => (type === 'LossAccepted' ? [String(data.signature)] : []));
  const accepted = new Set(signed.filter((jws) => signatures.isSigned(jws)).map(payloadOf));
  const restorations = rows.flatMap(({ data, type }): Restoration[] => {
    if (type !== 'LogRestored') return [];
    const { head, lostFrom, lostTo, seals } = data;
    const loss = { lostFrom: BigInt(lostFrom), lostTo: BigInt(lostTo), head: BigInt(head), seals };
    return [{ ...loss, accepted: accepted.has(canonicalJson(acceptanceOf(loss))) }];
  });
  return { restorations, version: rows.at(-1)?.version ?? 0 };
}

/** The event that accepts a loss. */
export function acceptanceBy(signer: SealSigner, loss: Loss): LossAccepted {
  return { type: 'LossAccepted', schema: 2, data: { seals: loss.seals, signature: signer.sign(acceptanceOf(loss)) } };
}

type Loss = Omit<Restoration, 'accepted'>;

/** What is signed: all that is on record of this loss, so that it accepts no other one. */
function acceptanceOf({ head, lostFrom, lostTo, seals: { from, to } }: Loss) {
  const positions = { lostFrom: lostFrom.toString(), lostTo: lostTo.toString(), head: head.toString() };
  return { type: 'tollbook-loss-accepted', version: 1, ...positions, seals: { from, to } };
}

function payloadOf(jws: string): string {
  return Buffer.from(jws.split('.')[1]!, 'base64url').toString();
}

/** Puts an event on record behind `version` of the stream. */
export async function recordLoss(
  store: EventWriter,
  version: number,
  event: LogRestored | LossAccepted,
): Promise<void> {
  const decide = () => ({ events: [event] });
  await store.append({ stream: RESTORATIONS, tenant: TENANT, expectedVersion: version, decide });
}
