import type { PoolClient } from 'pg';
import { leafOf } from '../../src/base/event-store/seals/leaf.js';
import { leafHash, merkleRoot } from '../../src/base/event-store/seals/merkle.js';
import { MerkleFrontier } from '../../src/base/event-store/seals/merkle-frontier.js';
import { nextSeal, readSeal, type Seal, type SealSigner } from '../../src/base/event-store/seals/seal.js';
import { readSealRows } from '../../src/base/event-store/seals/seal-rows.js';
import { readSeals, type SealRecord } from '../../src/base/event-store/seals/seal-table.js';
import type { JsonObject } from '../../src/base/shared/json.js';
import type { Dice } from './support.js';

/** What an edit has to be found as. */
export interface Expected {
  /** Each of these rows has to be named by itself, or as part of a run of removed ones. */
  readonly rows?: readonly number[];
  /** Some difference has to lie in here; and none may lie elsewhere. */
  readonly within: readonly [number, number];
}

export interface Log {
  readonly client: PoolClient;
  readonly dice: Dice;
  /** The last sealed position and the last of all. */
  readonly sealed: number;
  readonly head: number;
  readonly seals: readonly SealRecord[];
  readonly signer: SealSigner;
}

type Edit = (log: Log) => Promise<Expected>;

const FAR = 1_000_000_000;

/** One row, another value in one column. */
function column(set: string): Edit {
  return async ({ client, dice, sealed }) => {
    const position = dice.between(1, sealed);
    await client.query(`update events set ${set} where position = ${position}`);
    return { rows: [position], within: [position, position] };
  };
}

async function remove({ client, dice, sealed }: Log): Promise<Expected> {
  const position = dice.between(1, sealed);
  await client.query(`delete from events where position = ${position}`);
  return { rows: [position], within: [position, position] };
}

async function removeRange({ client, dice, sealed }: Log): Promise<Expected> {
  const [from, to] = dice.several(2, 1, sealed).sort((a, b) => a - b) as [number, number];
  await client.query(`delete from events where position between ${from} and ${to}`);
  return { rows: [from, to], within: [from, to] };
}

async function cutOff({ client, dice, sealed, head }: Log): Promise<Expected> {
  const from = dice.between(1, sealed);
  await client.query(`delete from events where position >= ${from}`);
  return { rows: [from, sealed], within: [from, head] };
}

async function cutOffWithSeals({ client, dice, head, seals }: Log): Promise<Expected> {
  const first = dice.one(seals);
  await client.query(`delete from events where position >= ${first.from}`);
  await client.query(`delete from seal_leaves where number >= ${first.number}`);
  await client.query(`delete from seals where number >= ${first.number}`);
  return { rows: [Number(first.from)], within: [Number(first.from), head] };
}

/** Each row gets the position of the next one in the list. */
async function reorder({ client, dice, sealed }: Log): Promise<Expected> {
  const rows = dice.several(dice.between(2, 5), 1, sealed);
  await client.query(`update events set position = position + ${FAR} where position = any($1)`, [rows]);
  for (const [index, row] of rows.entries()) {
    const to = rows[(index + 1) % rows.length]!;
    await client.query(`update events set position = ${to} where position = ${row + FAR}`);
  }
  return { rows, within: [Math.min(...rows), Math.max(...rows)] };
}

const copy = (position: number, stream: string) => `insert into events
  select ${position}, '${stream}', 1, type, schema, tenant, data, occurred_at from events order by position limit 1`;

async function insertAndShift({ client, dice, sealed, head }: Log): Promise<Expected> {
  const position = dice.between(1, sealed);
  await client.query(`update events set position = position + ${FAR} where position >= ${position}`);
  await client.query(`update events set position = position - ${FAR} + 1 where position >= ${FAR}`);
  await client.query(copy(position, 'forged'));
  return { rows: [position], within: [position, head + 1] };
}

async function removeAndShift({ client, dice, sealed, head }: Log): Promise<Expected> {
  const position = dice.between(1, sealed - 1);
  await client.query(`delete from events where position = ${position}`);
  await client.query(`update events set position = position + ${FAR} where position > ${position}`);
  await client.query(`update events set position = position - ${FAR} - 1 where position >= ${FAR}`);
  return { rows: [position], within: [position, head] };
}

async function insertBehind({ client, dice, head }: Log): Promise<Expected> {
  const position = head + dice.between(2, 1_000);
  await client.query(copy(position, 'forged'));
  return { rows: [position], within: [head + 1, position] };
}

async function insertBefore({ client, dice }: Log): Promise<Expected> {
  const position = -dice.below(5);
  await client.query('alter table events drop constraint events_position_check');
  await client.query(copy(position, 'forged'));
  return { rows: [position], within: [position, position] };
}

async function insertTwin({ client, dice, sealed }: Log): Promise<Expected> {
  const position = dice.between(1, sealed);
  await client.query('alter table events drop constraint events_pkey');
  await client.query(copy(position, 'forged'));
  return { rows: [position], within: [position, position] };
}

async function moveBehind({ client, dice, sealed, head }: Log): Promise<Expected> {
  const position = dice.between(1, sealed);
  await client.query(`update events set position = ${head + 2} where position = ${position}`);
  return { rows: [position, head + 2], within: [position, head + 2] };
}

/** One column of a seal. */
function sealColumn(set: string): Edit {
  return async ({ client, dice, seals }) => {
    const { from, number, to } = dice.one(seals);
    await client.query(`update seals set ${set} where number = ${number}`);
    return { within: [Number(from), Number(to)] };
  };
}

function sealOf(log: Log): Seal {
  return readSeal(log.dice.one(log.seals).jws)!;
}

async function forgeSignature(log: Log): Promise<Expected> {
  const { from, jws, payload, to } = sealOf(log);
  const forged = { ...payload, sealedAt: '2020-01-01T00:00:00.000Z' };
  const [header, , signature] = log.signer.sign(forged as unknown as JsonObject).split('.');
  const text = jws.split('.')[1]!;
  await log.client.query(`update seals set jws = $1 where number = ${payload.number}`, [
    `${header}.${text}.${signature}`,
  ]);
  return { within: [Number(from), Number(to)] };
}

async function removeSeal(log: Log): Promise<Expected> {
  const { from, payload, to } = sealOf(log);
  await log.client.query(`delete from seals where number = ${payload.number}`);
  return { within: [Number(from), Number(to)] };
}

async function removeLeaves(log: Log): Promise<Expected> {
  const { from, payload, to } = sealOf(log);
  await log.client.query(`delete from seal_leaves where number = ${payload.number}`);
  return { within: [Number(from), Number(to)] };
}

async function editLeaves(log: Log): Promise<Expected> {
  const { from, payload, to } = sealOf(log);
  const bit = log.dice.below(Number(to - from + 1n) * 256);
  await log.client.query(
    `update seal_leaves set hashes = set_bit(hashes, ${bit}, 1 - get_bit(hashes, ${bit})) where number = ${payload.number}`,
  );
  return { within: [Number(from), Number(to)] };
}

/** An event, and the leaf hashes beside its seal so that they fit. Only the seal is named then. */
async function editWithLeaves(log: Log): Promise<Expected> {
  const { from, payload, to } = sealOf(log);
  await log.client.query(
    `update events set type = 'Forged' where position = ${log.dice.between(Number(from), Number(to))}`,
  );
  await log.client.query('update seal_leaves set hashes = $2 where number = $1', [
    payload.number,
    await leavesOf(log.client, from, to),
  ]);
  return { within: [Number(from), Number(to)] };
}

/** Somebody with the key: an event, its leaf hashes, its seal and all seals behind it. Only the witness knows better. */
async function rewriteEverything(log: Log): Promise<Expected> {
  const { client, head, seals, signer } = log;
  const first = sealOf(log);
  await client.query(`update events set type = 'Forged' where position = ${first.from}`);
  const history = new MerkleFrontier();
  let last: Seal | undefined;
  for (const { jws, number } of seals) {
    let seal = readSeal(jws)!;
    if (number >= first.payload.number) {
      const leaves = await leavesOf(client, seal.from, seal.to);
      const range = { from: seal.from, to: seal.to, root: merkleRoot(leaves) };
      const payload = nextSeal(last, last && history.root(), range, new Date(seal.payload.sealedAt));
      seal = readSeal(signer.sign(payload as unknown as JsonObject))!;
      await client.query('update seals set jws = $2, root = $3 where number = $1', [number, seal.jws, seal.root]);
      await client.query('update seal_leaves set hashes = $2 where number = $1', [number, leaves]);
    }
    history.add(leafHash(Buffer.from(seal.jws.split('.')[1]!, 'base64url')));
    last = seal;
  }
  return { within: [Number(first.from), head] };
}

async function leavesOf(client: PoolClient, from: bigint, to: bigint): Promise<Buffer> {
  const rows = await readSealRows(client, from - 1n, Number(to - from) + 1);
  return Buffer.concat(rows.map((row) => leafOf(row)));
}

export async function openEdits(client: PoolClient, dice: Dice, signer: SealSigner): Promise<Log> {
  const { rows } = await client.query<{ head: string }>('select max(position)::text as head from events');
  const seals = await readSeals(client, 1, 10_000);
  return { client, dice, signer, seals, sealed: Number(seals.at(-1)!.to), head: Number(rows[0]!.head) };
}

export const edits: Readonly<Record<string, Edit>> = {
  stream: column("stream = stream || 'x'"),
  version: column('version = version + 100'),
  type: column("type = 'PaymentSettled' || 'd'"),
  schema: column('schema = schema + 1'),
  tenant: column("tenant = 'nobody'"),
  'a value': column(`data = data || '{"amount":"forged"}'`),
  'a member': column(`data = data || '{"":null}'`),
  'no data': column(`data = '[]'`),
  'a number beyond doubles': column(`data = data || '{"n":1.0000000000000000000000001}'`),
  'a millisecond': column("occurred_at = occurred_at + interval '1 millisecond'"),
  'a time': column("occurred_at = 'infinity'"),
  remove,
  removeRange,
  cutOff,
  cutOffWithSeals,
  reorder,
  insertAndShift,
  removeAndShift,
  insertBehind,
  insertBefore,
  insertTwin,
  moveBehind,
  'seal from': sealColumn('from_position = from_position + 1'),
  'seal to': sealColumn('to_position = to_position + 1'),
  'seal root': sealColumn(`root = sha256(root)`),
  'seal time': sealColumn("sealed_at = 'infinity'"),
  'seal text': sealColumn('jws = reverse(jws)'),
  forgeSignature,
  removeSeal,
  removeLeaves,
  editLeaves,
  editWithLeaves,
  rewriteEverything,
};
