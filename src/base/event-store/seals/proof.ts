import type { Pool, PoolClient } from 'pg';
import { type EventHeader, headerOf, leafOf, type SealRow, sealColumns } from './leaf.js';
import { auditPath, consistencyProof, leafAt, leafCount } from './merkle.js';
import { readSeal } from './seal.js';
import { readSealOf, readSeals, type SealWithLeaves } from './seal-table.js';

type Db = Pool | PoolClient;

/** That an event has its place under a seal, RFC 6962 section 2.1.1: what a stranger needs beside the seal itself. */
export interface InclusionProof {
  readonly header: EventHeader;
  /** Place of the event among the leaves of its seal, 0..treeSize − 1. */
  readonly leafIndex: number;
  readonly treeSize: number;
  /** Siblings, the lowest first, base64url. */
  readonly path: readonly string[];
  /** Number of the seal. */
  readonly seal: number;
}

export interface InclusionProofs {
  /** By position; an event that is not sealed yet has none. */
  readonly proofs: ReadonlyMap<bigint, InclusionProof>;
  /** The seals that the proofs lead to, by number, as compact JWS. */
  readonly seals: ReadonlyMap<number, string>;
}

/** The event is not the one that was sealed, or the seal's own rows were changed: there is nothing to prove. */
export class EventDiffers extends Error {}

/**
 * The proof for one event; `undefined` if there is no such event or it is not sealed yet.
 *
 * @throws EventDiffers
 */
export async function inclusionProofOf(
  db: Db,
  position: bigint,
): Promise<(InclusionProof & { readonly jws: string }) | undefined> {
  const { proofs, seals } = await inclusionProofsOf(db, [position]);
  const proof = proofs.get(position);
  return proof && { ...proof, jws: seals.get(proof.seal)! };
}

/**
 * The proofs for many events, in two queries and one for each seal that they are under.
 *
 * @throws EventDiffers
 */
export async function inclusionProofsOf(db: Db, positions: readonly bigint[]): Promise<InclusionProofs> {
  const { rows } = await db.query<SealRow[]>({
    name: 'seal-rows-at',
    rowMode: 'array',
    text: `select ${sealColumns} from events where position = any($1::bigint[]) order by events.position`,
    values: [positions.map(String)],
  });
  const proofs = new Map<bigint, InclusionProof>();
  const seals = new Map<number, string>();
  let seal: SealWithLeaves | undefined;
  for (const row of rows as unknown as readonly SealRow[]) {
    const position = BigInt(row[0]);
    if (seal === undefined || position > seal.to) seal = await readSealOf(db, position);
    if (seal === undefined || position < seal.from) continue;
    proofs.set(position, proofUnder(seal, row));
    seals.set(seal.number, seal.jws);
  }
  return { proofs, seals };
}

function proofUnder({ from, leaves, number }: SealWithLeaves, row: SealRow): InclusionProof {
  const leafIndex = Number(BigInt(row[0]) - from);
  if (leaves === undefined || !leafAt(leaves, leafIndex).equals(leafOf(row))) {
    throw new EventDiffers(`event ${row[0]} is not what seal ${number} covers`);
  }
  const path = auditPath(leaves, leafIndex).map((hash) => hash.toString('base64url'));
  return { header: headerOf(row), leafIndex, treeSize: leafCount(leaves), path, seal: number };
}

/** Seals from a number on, as compact JWS, by number: what an auditor keeps beside the log. */
export async function sealsFrom(
  db: Db,
  number: number,
  limit: number,
): Promise<readonly { readonly number: number; readonly jws: string }[]> {
  return (await readSeals(db, number, limit)).map(({ jws, number }) => ({ jws, number }));
}

/**
 * Proof that the first `first` seals are the beginning of the first `second`, RFC 6962 section 2.1.2. Seal n names as
 * `history` the root of the n − 1 seals before it.
 *
 * @param first 1..second
 * @param second at most the number of seals
 * @returns hashes in base64url
 * @throws RangeError if there are not so many
 */
export async function sealConsistency(db: Db, first: number, second: number): Promise<readonly string[]> {
  const leaves: Buffer[] = [];
  while (leaves.length < second) {
    const page = await readSeals(db, leaves.length + 1, Math.min(second - leaves.length, 5_000));
    if (page.length === 0) throw new RangeError(`there are ${leaves.length} seals`);
    for (const { jws } of page) leaves.push(readSeal(jws)!.leaf);
  }
  return consistencyProof(Buffer.concat(leaves), first).map((hash) => hash.toString('base64url'));
}
