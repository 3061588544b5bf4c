import type { PoolClient } from 'pg';
import type { EventWriter } from '../unit-of-work.js';
import { merkleRoot } from './merkle.js';
import { rangesOf } from './ranges.js';
import { readRestorations, recordLoss } from './restorations.js';
import { type Seal, type SealSigner, SignatureCheck } from './seal.js';
import type { SealHistory } from './seal-history.js';
import { readSealRows } from './seal-rows.js';
import { insertSeal, lastSealedPosition } from './seal-table.js';
import type { Witness } from './witness.js';

/**
 * Takes the seals that the witness has and the table has not, as after a restore from a backup, back into the table: what
 * was signed once is never signed otherwise. Those that the log still bears out count as before. From the first one on
 * that it does not, their events are lost: that is put on record as `LogRestored`, and the positions are sealed anew under
 * the numbers that follow. Within the sealer's transaction; the event is durable before that commits, and is not
 * written twice if that fails.
 *
 * @returns how many seals were taken back
 * @throws if the witness does not continue the seals of the table, or somebody else has signed
 */
export async function adoptFromWitness(
  client: PoolClient,
  { signer, store, witness }: { readonly signer: SealSigner; readonly store: EventWriter; readonly witness: Witness },
  history: SealHistory,
): Promise<number> {
  const signatures = new SignatureCheck(signer.jwks());
  const known = history.last?.payload.number ?? 0;
  let lost: Loss | undefined;
  for await (const { line, seal } of witness.lines(await witness.size())) {
    if (seal === undefined) throw new Error(`line ${line} of ${witness.path} is no seal`);
    if (seal.payload.number <= (history.last?.payload.number ?? 0)) continue;
    if (!signatures.isSigned(seal.jws)) throw new Error(`line ${line} of ${witness.path} is not signed by us`);
    history.add(seal);
    const leaves = lost === undefined ? await leavesBornOut(client, seal) : undefined;
    if (leaves === undefined) lost = lossWith(lost, seal);
    await insertSeal(client, seal, leaves);
  }
  if (lost !== undefined) await record(client, { signer, store }, lost);
  return (history.last?.payload.number ?? 0) - known;
}

interface Loss {
  readonly to: bigint;
  readonly seals: { readonly from: number; readonly to: number };
}

function lossWith(loss: Loss | undefined, { payload: { number }, to }: Seal): Loss {
  if (loss === undefined) return { to, seals: { from: number, to: number } };
  return { to: to > loss.to ? to : loss.to, seals: { from: loss.seals.from, to: number } };
}

/** Leaf hashes of the events in the seal's range if they are the ones that were sealed. */
async function leavesBornOut(client: PoolClient, { from, root, to }: Seal): Promise<Buffer | undefined> {
  const rows = await readSealRows(client, from - 1n, Number(to - from) + 1);
  const [range, ...more] = rangesOf(rows);
  if (range === undefined || more.length > 0 || range.from !== from || range.to !== to) return undefined;
  return merkleRoot(range.leaves).equals(root) ? range.leaves : undefined;
}

async function record(
  client: PoolClient,
  { signer, store }: { readonly signer: SealSigner; readonly store: EventWriter },
  { seals, to }: Loss,
): Promise<void> {
  const { restorations, version } = await readRestorations(client, signer.jwks());
  if (restorations.some((one) => one.seals.from === seals.from && one.seals.to === seals.to)) return;
  const { rows } = await client.query<{ head: string }>('select coalesce(max(position), 0)::text as head from events');
  const lostFrom = (await lastSealedPosition(client)) + 1n;
  await recordLoss(store, version, {
    type: 'LogRestored',
    schema: 1,
    data: { lostFrom: lostFrom.toString(), lostTo: to.toString(), head: rows[0]!.head, seals },
  });
}
