import pg from 'pg';
import type { Address } from '../../src/base/shared/hex.js';
import { eventually } from '../support/eventually.js';
import { transfers } from '../support/usdc.js';
import { TENANT } from './market.js';

const FINAL = new Set(['settled', 'settlement_failed', 'released', 'interrupted']);

/** A payment as `GET /admin/v1/payments` shows it. */
export interface Booked {
  readonly id: string;
  readonly state: string;
  readonly mode: string;
  readonly amount: string;
  readonly reason: string | null;
  readonly transaction: string | null;
}

/** What the books are read from. */
export interface Place {
  readonly control: string;
  readonly adminKey: string;
  readonly engines: { readonly postgres: string; readonly chain: string };
}

/** Every payment of the market's tenant, newest first. */
export async function payments({ adminKey, control }: Pick<Place, 'control' | 'adminKey'>): Promise<Booked[]> {
  const found: Booked[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ tenant: TENANT, limit: '200', ...(cursor ? { cursor } : {}) });
    const headers = { authorization: `Bearer ${adminKey}` };
    const response = await fetch(`${control}/admin/v1/payments?${query}`, { headers });
    if (response.status !== 200) throw new Error(`payments: ${response.status}`);
    const page = (await response.json()) as { data: Booked[]; next_cursor?: string };
    found.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

/** All payments by id. Throws while one of them has not come to its end. */
async function allEnded(place: Place): Promise<ReadonlyMap<string, Booked>> {
  const booked = await payments(place);
  const open = booked.filter(({ state }) => !FINAL.has(state)).map(({ state }) => state);
  if (open.length > 0) throw new Error(`${open.length} of ${booked.length} payments have not ended: ${open.join(' ')}`);
  return new Map(booked.map((one) => [one.id, one]));
}

/** What one payer owes the market, as admissions count it; atomic units. */
export async function held(databaseUrl: string): Promise<bigint> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ held: string }>(
      `select coalesce(sum(held), 0)::text as held from hold_totals where key like 'exposure/${TENANT}/%'`,
    );
    return BigInt(rows[0]!.held);
  } finally {
    await client.end();
  }
}

/**
 * The oracle. Every payment has its end; the chain moved exactly what the books call settled, in the transactions that
 * they name; and only delivered payments that failed to settle still count against their payer.
 */
export function expectBooksInOrder(place: Place, payee: Address, timeoutMs = 60_000) {
  // Until a rollback of the chain is noticed the books name transfers that are gone.
  return eventually(async () => {
    const ended = await allEnded(place);
    const all = [...ended.values()];
    const settled = all.filter(({ state }) => state === 'settled');
    const moved = await transfers(place.engines.chain, { to: payee });
    const named = (list: readonly { transaction: string | null }[]) =>
      list.map(({ transaction }) => transaction).sort();
    expect(named(moved)).toEqual(named(settled));
    expect(sum(moved.map(({ value }) => value))).toBe(sum(settled.map(amountOf)));
    const unpaid = all.filter(({ mode, state }) => state === 'settlement_failed' && mode === 'async');
    expect(await held(place.engines.postgres)).toBe(sum(unpaid.map(amountOf)));
    for (const { reason, state } of all) if (state !== 'settled') expect(reason).toEqual(expect.any(String));
    return ended;
  }, timeoutMs);
}

function amountOf({ amount }: Booked): bigint {
  return BigInt(amount);
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
