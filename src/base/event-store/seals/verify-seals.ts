import type { Pool, PoolClient } from 'pg';
import { readSnapshot } from '../../platform/read-snapshot.js';
import { Differences, type SealDifference } from './differences.js';
import { EventCheck } from './event-check.js';
import { type Restoration, readRestorations } from './restorations.js';
import { RowCursor } from './row-cursor.js';
import { type SealKeys, SignatureCheck } from './seal.js';
import { SealCheck } from './seal-check.js';
import { sealPairs } from './seal-pairs.js';
import { Witness } from './witness.js';

export interface SealReport {
  /** In the log; all of them were read. */
  readonly events: number;
  /** Of these, behind the last seal: nothing can be said of them yet but that their positions are dense. */
  readonly unsealed: number;
  readonly seals: number;
  /** Of these, in the witness; it may lack the newest. */
  readonly witnessed: number;
  /** Losses on record, accepted ones too. */
  readonly restorations: readonly Restoration[];
  /** By position, a thousand at most; `differenceCount` counts all. */
  readonly differences: readonly SealDifference[];
  readonly differenceCount: number;
}

export interface SealProgress {
  readonly events: number;
  readonly total: number;
}

/**
 * Compares every event with its seal, and every seal with those before it, its signature and the witness. Reads one
 * snapshot, so that sealing and appending may go on meanwhile. Memory does not grow with the log.
 *
 * @param keys that seals may be signed with
 * @param witnessPath `witnessPathOf` the data folder
 */
export async function verifySeals(
  pool: Pool,
  keys: SealKeys,
  witnessPath: string,
  onProgress: (progress: SealProgress) => void = () => undefined,
): Promise<SealReport> {
  const witness = new Witness(witnessPath);
  // Before the snapshot: seals are committed first, so the table of the snapshot has at least these.
  const witnessSize = await witness.size();
  return readSnapshot(pool, [], (client) => verifySealsIn(client, keys, { witness, witnessSize }, onProgress));
}

/** Within a transaction of the caller's, which should see one snapshot. */
export async function verifySealsIn(
  client: PoolClient,
  keys: SealKeys,
  { witness, witnessSize }: { readonly witness: Witness; readonly witnessSize: number },
  onProgress: (progress: SealProgress) => void,
): Promise<SealReport> {
  const total = await countEvents(client);
  const { restorations } = await readRestorations(client, keys);
  const differences = new Differences();
  const rows = new RowCursor(client);
  const seals = new SealCheck(new SignatureCheck(keys), restorations, differences);
  const events = new EventCheck(rows, differences, (count) => onProgress({ events: count, total }));
  for await (const pair of sealPairs(client, witness, witnessSize, differences)) {
    const range = seals.check(pair);
    if (range !== undefined) await events.check(range);
  }
  const unsealed = await events.finish();
  nameLosses(restorations, differences);
  if (rows.count !== total) {
    const detail = `${total} events are stored, ${rows.count} are found by position`;
    differences.add({ kind: 'events-differ', from: 1n, to: BigInt(total), detail });
  }
  const { count: differenceCount, list } = differences;
  const counts = { events: rows.count, unsealed, seals: seals.count, witnessed: seals.witnessed };
  return { ...counts, restorations, differences: list, differenceCount };
}

/** Without the index that the rows are read by. */
async function countEvents(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ count: string }>('select count(*) from events');
  return Number(rows[0]!.count);
}

function nameLosses(restorations: readonly Restoration[], differences: Differences): void {
  for (const { accepted, head, lostFrom, lostTo, seals } of restorations) {
    if (accepted) continue;
    const detail = `seals ${seals.from} to ${seals.to} cover events that a restored log, ending at ${head}, did not have`;
    differences.add({ kind: 'events-lost', from: lostFrom, to: lostTo, detail });
  }
}
