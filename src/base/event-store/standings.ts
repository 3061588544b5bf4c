import type { PoolClient } from 'pg';
import type { PayerAt, Write } from './unit-of-work.js';

export type Standing = 'allowed' | 'denied';

/** Stands for every payer of a tenant that has no row of its own. */
export const EVERYBODY = '*';

/** The tenant does not serve this payer. */
export class PayerDenied extends Error {
  constructor({ payer, tenant }: PayerAt) {
    super(`${tenant} does not serve ${payer}`);
  }
}

/** Pure: a row of one's own decides, then the one for everybody; without either a payer is served. */
export function isDenied(own: Standing | undefined, everybody: Standing | undefined): boolean {
  return (own ?? everybody) === 'denied';
}

/** Begins a transaction; one that asks for standings goes on when no transaction that changes one is under way. */
const BEGIN = 'begin isolation level read committed';
const BEGIN_ADMITTING = `${BEGIN}; select pg_advisory_xact_lock_shared(8403, 1)`;
const BEGIN_CHANGING = `${BEGIN}; select pg_advisory_xact_lock(8403, 1)`;

/**
 * Which of these payers are denied, as it is committed now. Under the lock that `BEGIN_ADMITTING` takes it stays so until
 * the transaction ends: a denial that was answered is seen by everything that is admitted afterwards.
 */
export async function readDenied(client: PoolClient, asked: readonly PayerAt[]): Promise<(payer: PayerAt) => boolean> {
  if (asked.length === 0) return () => false;
  const { rows } = await client.query<PayerAt & { standing: Standing }>({
    name: 'standings',
    text: `select tenant, payer, standing from payer_standings where (tenant, payer) in
             (select * from unnest($1::text[], $2::text[]) union select unnest($1::text[]), $3)`,
    values: [asked.map(({ tenant }) => tenant), asked.map(({ payer }) => payer), EVERYBODY],
  });
  const standings = new Map(rows.map(({ payer, standing, tenant }) => [`${tenant}/${payer}`, standing]));
  return ({ payer, tenant }) => isDenied(standings.get(`${tenant}/${payer}`), standings.get(`${tenant}/${EVERYBODY}`));
}

export function beginFor(writes: readonly Write[]): string {
  if (writes.some(({ changesStandings }) => changesStandings)) return BEGIN_CHANGING;
  return writes.some(({ account, admits }) => admits ?? account) ? BEGIN_ADMITTING : BEGIN;
}

/** After conflicts: what was written before is no new request of a payer that is denied since. */
export function denialOf({ admits }: Write, denied: (payer: PayerAt) => boolean): PayerDenied | undefined {
  return admits && denied(admits) ? new PayerDenied(admits) : undefined;
}
