import type { Pool, PoolClient } from 'pg';
import { asStored, type StoredEvent } from '../../src/base/event-store/event.js';
import type { ApplyEvents } from '../../src/base/event-store/projection-runner.js';
import { openPool } from '../../src/base/platform/pool.js';
import type { JsonObject } from '../../src/base/shared/json.js';
import { ledgerProjection } from '../../src/domains/ledger/ledger.projection.js';
import { freshDatabase } from '../support/engines.js';

/** A pool on an empty database; the caller ends it. */
export async function openBook(): Promise<Pool> {
  return openPool(await freshDatabase(), 'test-ledger', 4, console);
}

/** One run of the projection, as one process has it; it remembers few payments, so that most are read again. */
export function newRun(remembered = 2): ApplyEvents {
  return ledgerProjection(asStored, remembered).begin();
}

export const PAYEE = `0x${'c'.repeat(40)}`;
export const SETTLER = `0x${'e'.repeat(40)}`;
export const TOKEN = `0x${'a'.repeat(40)}`;
export const NETWORK = 'eip155:84532';
const TYPES = ledgerProjection(asStored).types;
const DAY = Date.UTC(2026, 10, 20);

/** An event without its place in the log. */
export interface Fact {
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly data: JsonObject;
  readonly tenant?: string;
  /** Milliseconds after the first day's midnight, UTC. */
  readonly at?: number;
}

export function authorization(payer: string, amount: bigint, hold: boolean): JsonObject {
  const terms = { network: NETWORK, asset: TOKEN, payer, payee: PAYEE, amount: amount.toString() };
  const exposure = { key: `exposure/demo/${NETWORK}/${TOKEN}/${payer}`, amount: amount.toString() };
  return { terms, holds: hold ? [exposure] : [] };
}

/** Places facts in the log, one position after the other. */
export function placed(facts: readonly Fact[], first = 1n): StoredEvent[] {
  return facts.map(({ at = 0, tenant = 'demo', ...fact }, index) => {
    const [position, occurredAt] = [first + BigInt(index), new Date(DAY + at)];
    return { ...fact, tenant, position, occurredAt, schema: fact.type === 'PaymentAuthorized' ? 3 : 1 };
  });
}

export async function writeLog(pool: Pool, events: readonly StoredEvent[]): Promise<void> {
  await pool.query(
    `insert into events (position, stream, version, type, schema, tenant, data, occurred_at)
     select position, stream, version, type, schema, tenant, data, at
     from unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[], $8::int[])
       as e (position, stream, version, type, tenant, data, at, schema)`,
    [
      events.map((event) => event.position.toString()),
      events.map((event) => event.stream),
      events.map((event) => event.version),
      events.map((event) => event.type),
      events.map((event) => event.tenant),
      events.map((event) => JSON.stringify(event.data)),
      events.map((event) => event.occurredAt),
      events.map((event) => event.schema),
    ],
  );
}

export type Ending = 'commit' | 'rollback';

/** Applies a batch in a transaction that ends as told. */
export async function apply(pool: Pool, run: ApplyEvents, events: readonly StoredEvent[], ending: Ending = 'commit') {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await run(
      client,
      events.filter(({ type }) => TYPES.includes(type)),
    );
    if (ending === 'commit') await moveCheckpoint(client, events);
    await client.query(ending);
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function moveCheckpoint(client: PoolClient, events: readonly StoredEvent[]): Promise<void> {
  await client.query(
    `insert into projection_checkpoints as c (name, version, position) values ('ledger', 1, $1)
     on conflict (name) do update set position = greatest(c.position, excluded.position)`,
    [events.at(-1)?.position.toString() ?? '0'],
  );
}

/** Log and ledger as on the first day. Only an owner who switches the triggers off can do that. */
export async function emptyBook(pool: Pool): Promise<void> {
  await pool.query(
    `begin; set local session_replication_role = replica;
     truncate events, ledger_books, ledger_accounts, ledger_transfers, ledger_activity, projection_checkpoints; commit`,
  );
}

/** Every row of the ledger, as text. */
export async function ledgerRows(pool: Pool): Promise<Record<string, readonly string[]>> {
  const tables = ledgerProjection(asStored).tables;
  const rows = await Promise.all(
    tables.map((table) => pool.query<{ row: string }>(`select t::text as row from ${table} t order by t`)),
  );
  return Object.fromEntries(tables.map((table, index) => [table, rows[index]!.rows.map(({ row }) => row)]));
}
