import type { Pool, PoolClient } from 'pg';
import type { EventWriter } from '../unit-of-work.js';

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

/** Somebody has said that the loss is known. */
export interface LossAccepted {
  readonly type: 'LossAccepted';
  readonly schema: 1;
  readonly data: { readonly seals: { readonly from: number; readonly to: number } };
}

export interface Restoration {
  readonly lostFrom: bigint;
  readonly lostTo: bigint;
  readonly head: bigint;
  readonly seals: { readonly from: number; readonly to: number };
  readonly accepted: boolean;
}

interface RestorationRow {
  version: number;
  type: string;
  data: LogRestored['data'] & LossAccepted['data'];
}

/** All losses on record, oldest first, and the version of their stream. */
export async function readRestorations(db: Pool | PoolClient) {
  const { rows } = await db.query<RestorationRow>(
    'select version, type, data from events where stream = $1 order by version',
    [RESTORATIONS],
  );
  const accepted = new Set(rows.flatMap(({ data, type }) => (type === 'LossAccepted' ? [data.seals.to] : [])));
  const restorations = rows.flatMap(({ data, type }): Restoration[] => {
    if (type !== 'LogRestored') return [];
    const { head, lostFrom, lostTo, seals } = data;
    const positions = { lostFrom: BigInt(lostFrom), lostTo: BigInt(lostTo), head: BigInt(head) };
    return [{ ...positions, seals, accepted: accepted.has(seals.to) }];
  });
  return { restorations, version: rows.at(-1)?.version ?? 0 };
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
