import type { Pool, PoolClient } from 'pg';
import { together } from '../together.js';
import type { Seal } from './seal.js';

type Db = Pool | PoolClient;

/** A seal as its row says. What counts is the signed `jws`; the other columns are for finding it. */
export interface SealRecord {
  readonly number: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly root: Buffer;
  readonly jws: string;
  readonly sealedAt: Date;
}

/** Leaf hashes under a seal; missing if its events were lost. */
export interface SealWithLeaves extends SealRecord {
  readonly leaves: Buffer | undefined;
}

interface Row {
  number: string;
  from_position: string;
  to_position: string;
  root: Buffer;
  jws: string;
  sealed_at: Date;
  hashes?: Buffer | null;
}

const columns = 's.number::text, s.from_position::text, s.to_position::text, s.root, s.jws, s.sealed_at';

/** Seals from a number on, by number. */
export async function readSeals(db: Db, number: number, limit: number): Promise<SealRecord[]> {
  const { rows } = await db.query<Row>({
    name: 'seals',
    text: `select ${columns} from seals s where number >= $1 order by s.number limit $2`,
    values: [number, limit],
  });
  return rows.map(recordOf);
}

export async function readSealsWithLeaves(db: Db, number: number, limit: number): Promise<SealWithLeaves[]> {
  const { rows } = await db.query<Row>({
    name: 'seals-leaves',
    text: `select ${columns}, l.hashes from seals s left join seal_leaves l using (number)
      where s.number >= $1 order by s.number limit $2`,
    values: [number, limit],
  });
  return rows.map(withLeaves);
}

/** The seal that an event at a position has a place in; `undefined` if it is not sealed. */
export async function readSealOf(db: Db, position: bigint): Promise<SealWithLeaves | undefined> {
  const { rows } = await db.query<Row>({
    name: 'seal-of',
    text: `select ${columns}, l.hashes from seal_leaves l join seals s using (number)
      where l.to_position >= $1 order by l.to_position limit 1`,
    values: [position.toString()],
  });
  const found = rows.map(withLeaves)[0];
  return found !== undefined && found.from <= position ? found : undefined;
}

/** The last position that a seal covers whose events were not lost; 0 if there is none. */
export async function lastSealedPosition(db: Db): Promise<bigint> {
  const { rows } = await db.query<{ to: string }>('select coalesce(max(to_position), 0)::text as to from seal_leaves');
  return BigInt(rows[0]!.to);
}

/** @param leaves of its events, as far as they are known */
export async function insertSeal(client: PoolClient, seal: Seal, leaves: Buffer | undefined): Promise<void> {
  const { from, jws, payload, root, to } = seal;
  const inserted = [
    client.query({
      name: 'insert-seal',
      text: `insert into seals (number, from_position, to_position, root, jws, sealed_at) values ($1, $2, $3, $4, $5, $6)`,
      values: [payload.number, from.toString(), to.toString(), root, jws, payload.sealedAt],
    }),
  ];
  if (leaves !== undefined) {
    inserted.push(
      client.query({
        name: 'insert-seal-leaves',
        text: 'insert into seal_leaves (to_position, number, hashes) values ($1, $2, $3)',
        values: [to.toString(), payload.number, leaves],
      }),
    );
  }
  await together(inserted);
}

function recordOf(row: Row): SealRecord {
  return {
    number: Number(row.number),
    from: BigInt(row.from_position),
    to: BigInt(row.to_position),
    root: row.root,
    jws: row.jws,
    sealedAt: row.sealed_at,
  };
}

function withLeaves(row: Row): SealWithLeaves {
  return { ...recordOf(row), leaves: row.hashes ?? undefined };
}
