import type { PoolClient } from 'pg';
import type { HoldRequest } from './unit-of-work.js';

/** Pure: may this change be made to a total of `held`? Decreases always may; they never go below zero. */
export function decideHold(held: bigint, request: HoldRequest): { granted: boolean; held: bigint } {
  const next = held + request.delta;
  if (request.delta <= 0n) return { granted: true, held: next < 0n ? 0n : next };
  if (request.limit !== undefined && next > request.limit) return { granted: false, held };
  return { granted: true, held: next };
}

/**
 * Decides a batch of hold requests in order, with the rows locked until the transaction ends. Rows are locked in
 * key order, so that two batches can wait for each other but never deadlock.
 */
export async function decideHolds(
  client: PoolClient,
  requests: readonly (HoldRequest | undefined)[],
): Promise<readonly boolean[]> {
  const keys = [...new Set(requests.flatMap((request) => (request ? [request.key] : [])))].sort();
  if (keys.length === 0) return requests.map(() => true);
  const totals = await lockTotals(client, keys);
  const changed = new Set<string>();
  const granted = requests.map((request) => {
    if (!request) return true;
    const decision = decideHold(totals.get(request.key) ?? 0n, request);
    if (decision.granted) {
      totals.set(request.key, decision.held);
      changed.add(request.key);
    }
    return decision.granted;
  });
  await storeTotals(client, [...changed], totals);
  return granted;
}

async function lockTotals(client: PoolClient, keys: readonly string[]): Promise<Map<string, bigint>> {
  const lock = {
    name: 'hold-lock',
    text: 'select key, held::text from hold_totals where key = any($1::text[]) order by key for update',
    values: [keys],
  };
  let { rows } = await client.query<{ key: string; held: string }>(lock);
  if (rows.length < keys.length) {
    await client.query(
      'insert into hold_totals (key, held) select unnest($1::text[]), 0 on conflict (key) do nothing',
      [keys],
    );
    ({ rows } = await client.query<{ key: string; held: string }>(lock));
  }
  return new Map(rows.map((row) => [row.key, BigInt(row.held)]));
}

async function storeTotals(client: PoolClient, keys: readonly string[], totals: Map<string, bigint>): Promise<void> {
  if (keys.length === 0) return;
  await client.query({
    name: 'hold-store',
    text: `update hold_totals set held = new.held
           from unnest($1::text[], $2::numeric[]) as new (key, held) where hold_totals.key = new.key`,
    values: [keys, keys.map((key) => String(totals.get(key)))],
  });
}
