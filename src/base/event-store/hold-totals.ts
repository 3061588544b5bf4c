import type { PoolClient } from 'pg';
import type { HoldRequest } from './unit-of-work.js';

/** Sums of open holds by key, in atomic units. */
export type HoldTotals = Map<string, bigint>;

/** Pure: may this change be made to a total of `held`? Decreases always may; they never go below zero. */
export function decideHold(held: bigint, request: HoldRequest): { granted: boolean; held: bigint } {
  const next = held + request.delta;
  if (request.delta <= 0n) return { granted: true, held: next < 0n ? 0n : next };
  if (request.limit !== undefined && next > request.limit) return { granted: false, held };
  return { granted: true, held: next };
}

/** Pure: decides requests in order, each on what the ones before it left. Returns what to store, too. */
export function decideHolds(
  requests: readonly (HoldRequest | undefined)[],
  totals: HoldTotals,
): { readonly granted: readonly boolean[]; readonly changed: HoldTotals } {
  const changed: HoldTotals = new Map();
  const granted = requests.map((request) => {
    if (!request) return true;
    const decision = decideHold(changed.get(request.key) ?? totals.get(request.key) ?? 0n, request);
    if (decision.granted) changed.set(request.key, decision.held);
    return decision.granted;
  });
  return { granted, changed };
}

/**
 * Locks the totals that the requests concern until the transaction ends. Rows are locked in key order, so that two
 * batches can wait for each other but never deadlock.
 */
export async function lockHolds(
  client: PoolClient,
  requests: readonly (HoldRequest | undefined)[],
): Promise<HoldTotals> {
  const keys = [...new Set(requests.flatMap((request) => (request ? [request.key] : [])))].sort();
  if (keys.length === 0) return new Map();
  const lock = {
    name: 'hold-lock',
    text: 'select key, held::text from hold_totals where key = any($1::text[]) order by key for update',
    values: [keys],
  };
  let { rows } = await client.query<{ key: string; held: string }>(lock);
  if (rows.length < keys.length) {
    const missing = 'insert into hold_totals (key, held) select unnest($1::text[]), 0 on conflict (key) do nothing';
    await client.query(missing, [keys]);
    ({ rows } = await client.query<{ key: string; held: string }>(lock));
  }
  return new Map(rows.map((row) => [row.key, BigInt(row.held)]));
}

export async function storeHolds(client: PoolClient, changed: HoldTotals): Promise<void> {
  if (changed.size === 0) return;
  await client.query({
    name: 'hold-store',
    text: `update hold_totals set held = new.held
           from unnest($1::text[], $2::numeric[]) as new (key, held) where hold_totals.key = new.key`,
    values: [[...changed.keys()], [...changed.values()].map(String)],
  });
}
