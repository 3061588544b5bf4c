import type { PoolClient } from 'pg';
import { type HoldRequest, HoldsRefused, type RefusedHold } from './unit-of-work.js';

/** Sums of open holds by key, in the units of each key. */
export type HoldTotals = Map<string, bigint>;

/** What became of the holds of one write: refused as a whole, or not, and whether those that are not hard were granted. */
export type HoldOutcome = { readonly refused: HoldsRefused } | { readonly held: boolean };

/** Pure: may this change be made to a total of `held`? Decreases always may; they never go below zero. */
export function decideHold(held: bigint, request: HoldRequest): { granted: boolean; held: bigint } {
  const next = held + request.delta;
  if (request.delta <= 0n) return { granted: true, held: next < 0n ? 0n : next };
  if (request.limit !== undefined && next > request.limit) return { granted: false, held };
  return { granted: true, held: next };
}

/** Pure: decides writes in order, each on what the ones before it left. Returns what to store, too. */
export function decideHolds(
  writes: readonly (readonly HoldRequest[] | undefined)[],
  totals: HoldTotals,
): { readonly outcomes: readonly HoldOutcome[]; readonly changed: HoldTotals } {
  const changed: HoldTotals = new Map();
  const outcomes = writes.map((requests): HoldOutcome => {
    if (!requests || requests.length === 0) return { held: true };
    return decideTogether(requests, (key) => changed.get(key) ?? totals.get(key) ?? 0n, changed);
  });
  return { outcomes, changed };
}

function decideTogether(
  requests: readonly HoldRequest[],
  heldOf: (key: string) => bigint,
  changed: HoldTotals,
): HoldOutcome {
  const refused: RefusedHold[] = [];
  let held = true;
  const decisions = requests.map((request) => {
    const before = heldOf(request.key);
    const decision = decideHold(before, request);
    if (decision.granted) return decision;
    if (request.hard) refused.push({ request, held: before });
    else held = false;
    return decision;
  });
  if (refused.length > 0) return { refused: new HoldsRefused(refused) };
  for (const [index, { hard, key }] of requests.entries()) if (hard || held) changed.set(key, decisions[index]!.held);
  return { held };
}

/**
 * Locks the totals that the writes concern until the transaction ends. Rows are locked in key order, so that two
 * batches can wait for each other but never deadlock. A total that would only get less is not made.
 */
export async function lockHolds(
  client: PoolClient,
  writes: readonly (readonly HoldRequest[] | undefined)[],
): Promise<HoldTotals> {
  const requests = writes.flatMap((write) => write ?? []);
  const keys = [...new Set(requests.map((request) => request.key))].sort();
  if (keys.length === 0) return new Map();
  const lock = {
    name: 'hold-lock',
    text: 'select key, held::text from hold_totals where key = any($1::text[]) order by key for update',
    values: [keys],
  };
  let { rows } = await client.query<{ key: string; held: string }>(lock);
  if (rows.length < keys.length) {
    const known = new Set(rows.map((row) => row.key));
    const missing = requests.filter(({ delta, key }) => delta > 0n && !known.has(key)).map(({ key }) => key);
    if (missing.length > 0) {
      const insert = 'insert into hold_totals (key, held) select unnest($1::text[]), 0 on conflict (key) do nothing';
      await client.query(insert, [[...new Set(missing)].sort()]);
      ({ rows } = await client.query<{ key: string; held: string }>(lock));
    }
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
