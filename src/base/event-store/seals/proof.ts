import type { Pool, PoolClient } from 'pg';
import { type EventHeader, headerOf, leafOf, type SealRow, sealColumns } from './leaf.js';
import { auditPath, auditPaths, consistencyProof, leafAt, leafCount } from './merkle.js';
import { readSeal } from './seal.js';
import { readSealOf, readSeals, type SealWithLeaves } from './seal-table.js';

type Db = Pool | PoolClient;

/** Seals read at once. */
const PAGE = 5_000;

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
  for (const { seal, under } of await bySeal(db, rows as unknown as readonly SealRow[])) {
    for (const proof of proofsUnder(seal, under)) proofs.set(BigInt(proof.header.position), proof);
    seals.set(seal.number, seal.jws);
  }
  return { proofs, seals };
}

interface Sealed {
  readonly seal: SealWithLeaves;
  readonly under: SealRow[];
}

/** Rows, which are in order of position, under the seals that cover them. */
async function bySeal(db: Db, rows: readonly SealRow[]): Promise<readonly Sealed[]> {
  const groups: Sealed[] = [];
  for (const row of rows) {
    const position = BigInt(row[0]);
    const last = groups.at(-1);
    if (last !== undefined && position <= last.seal.to) {
      last.under.push(row);
      continue;
    }
    const seal = await readSealOf(db, position);
    if (seal !== undefined) groups.push({ seal, under: [row] });
  }
  return groups;
}

/** Of all events under one seal at once: anybody may ask for the proofs of a receipt, and each tree is hashed once. */
function proofsUnder({ from, leaves, number: seal }: SealWithLeaves, rows: readonly SealRow[]): InclusionProof[] {
  const indexes = rows.map(([position]) => Number(BigInt(position) - from));
  for (const [n, row] of rows.entries()) {
    if (leaves === undefined || !leafAt(leaves, indexes[n]!).equals(leafOf(row))) {
      throw new EventDiffers(`event ${row[0]} is not what seal ${seal} covers`);
    }
  }
  const paths = auditPaths(leaves!, indexes).map((path) => path.map((hash) => hash.toString('base64url')));
  return rows.map((row, n) => {
    return { header: headerOf(row), leafIndex: indexes[n]!, treeSize: leafCount(leaves!), path: paths[n]!, seal };
  });
}

/** That one seal, and all before it, are in the history that a later one signs. */
export interface SealConsistency {
  /** Compact JWS. */
  readonly first: string;
  readonly second: string;
  /** From the first seal to the `history` of the second, RFC 6962 section 2.1.1; base64url. */
  readonly inclusion: readonly string[];
  /** From the `history` of the first to that of the second, RFC 6962 section 2.1.2; none if nothing was before the first. */
  readonly consistency: readonly string[];
}

/**
 * Seal n names as `history` the root of the n − 1 seals before it. Reads all seals up to the second.
 *
 * @param first from 1
 * @param second later than the first
 * @returns `undefined` if there are not so many
 */
export async function sealConsistency(db: Db, first: number, second: number): Promise<SealConsistency | undefined> {
  const leaves: Buffer[] = [];
  let [earlier, later] = ['', ''];
  while (later === '') {
    const page = await readSeals(db, leaves.length + 1, Math.min(second - leaves.length, PAGE));
    if (page.length === 0) return undefined;
    for (const { jws, number } of page) {
      if (number === first) earlier = jws;
      if (number === second) later = jws;
      else leaves.push(readSeal(jws)!.leaf);
    }
  }
  const history = Buffer.concat(leaves);
  const inText = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64url'));
  return {
    ...{ first: earlier, second: later },
    inclusion: inText(auditPath(history, first - 1)),
    consistency: first === 1 ? [] : inText(consistencyProof(history, first - 1)),
  };
}
