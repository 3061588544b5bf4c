import type { Pool, PoolClient } from 'pg';
import { decideRolling, type Slots } from './rolling-sum.js';
import { type GrantedHold, type HoldRequest, HoldsRefused, type RefusedHold } from './unit-of-work.js';

/** What is held under one key, in its units. A rolling sum consists of slots. */
export interface HoldTotal {
  readonly held: bigint;
  readonly slots?: Slots;
  /** Epoch milliseconds. */
  readonly expiresAt?: number;
}

export type HoldTotals = Map<string, HoldTotal>;

type Requests = readonly HoldRequest[] | undefined;

/** What became of the holds of one write: refused as a whole, or not, and whether those that are not hard were granted. */
export type HoldOutcome =
  | { readonly refused: HoldsRefused }
  | { readonly held: boolean; readonly granted?: readonly GrantedHold[] };

const NOTHING: HoldTotal = { held: 0n };

/** Pure: may this change be made to a total? Decreases always may; it never goes below zero unless it is signed. A change of 0 only asks. */
export function decideHold(total: HoldTotal, request: HoldRequest): { granted: boolean; total: HoldTotal } {
  const { delta, expiresAt, limit, rolling, signed } = request;
  if (rolling) {
    const { granted, held, slots } = decideRolling(total.slots ?? new Map(), request, rolling);
    return { granted, total: { held, slots, expiresAt: Math.max(expiresAt ?? 0, total.expiresAt ?? 0) } };
  }
  const next = total.held + delta;
  if (delta < 0n) return { granted: true, total: { held: next < 0n && !signed ? 0n : next } };
  if (limit !== undefined && next > limit) return { granted: false, total };
  return { granted: true, total: { held: next } };
}

/** Pure: decides writes in order, each on what the ones before it left. Returns what to store, too. */
export function decideHolds(
  writes: readonly Requests[],
  totals: HoldTotals,
): { readonly outcomes: readonly HoldOutcome[]; readonly changed: HoldTotals } {
  const changed: HoldTotals = new Map();
  const outcomes = writes.map((requests): HoldOutcome => {
    if (!requests || requests.length === 0) return { held: true };
    return decideTogether(requests, (key) => changed.get(key) ?? totals.get(key) ?? NOTHING, changed);
  });
  return { outcomes, changed };
}

function decideTogether(
  requests: readonly HoldRequest[],
  totalOf: (key: string) => HoldTotal,
  changed: HoldTotals,
): HoldOutcome {
  const refused: RefusedHold[] = [];
  const granted: GrantedHold[] = [];
  let held = true;
  const decisions = requests.map((request) => {
    const decision = decideHold(totalOf(request.key), request);
    const { total } = decision;
    if (!decision.granted && request.hard) refused.push({ request, held: total.held, slots: total.slots });
    else if (!decision.granted) held = false;
    else if (request.hard) granted.push({ request, held: total.held });
    return decision;
  });
  if (refused.length > 0) return { refused: new HoldsRefused(refused) };
  for (const [index, { delta, hard, key }] of requests.entries()) {
    if (delta !== 0n && (hard || held)) changed.set(key, decisions[index]!.total);
  }
  return granted.length > 0 ? { held, granted } : { held };
}

interface HoldRow {
  readonly key: string;
  readonly held: string;
  readonly slots: Readonly<Record<string, string>> | null;
}

const LOCK = {
  name: 'hold-lock',
  text: 'select key, held::text, slots from hold_totals where key = any($1::text[]) order by key for update',
};
/** What is held at the moment, for people: it may be more or less by the time that a request is admitted. */
export async function readHolds(pool: Pick<Pool, 'query'>, keys: readonly string[]): Promise<HoldTotals> {
  const { rows } = await pool.query<HoldRow>({
    name: 'hold-read',
    text: 'select key, held::text, slots from hold_totals where key = any($1::text[])',
    values: [keys],
  });
  return new Map(rows.map((row) => [row.key, totalOf(row)]));
}

/** A row that is seen and then purged before it is locked is made anew. */
const LOCK_ATTEMPTS_MAX = 5;

/**
 * Locks the totals that the writes concern until the transaction ends. Rows are locked in key order, so that two
 * batches can wait for each other but never deadlock. A total that would only get less is not made,
 * unless it may be below zero.
 */
export async function lockHolds(client: PoolClient, writes: readonly Requests[]): Promise<HoldTotals> {
  const requests = writes.flatMap((write) => write ?? []);
  const keys = [...new Set(requests.map((request) => request.key))].sort();
  if (keys.length === 0) return new Map();
  for (let attempt = 1; ; attempt++) {
    const { rows } = await client.query<HoldRow>({ ...LOCK, values: [keys] });
    const totals: HoldTotals = new Map(rows.map((row) => [row.key, totalOf(row)]));
    const missing = requests.filter(
      ({ delta, key, signed }) => (delta > 0n || (signed && delta < 0n)) && !totals.has(key),
    );
    if (missing.length === 0) return totals;
    if (attempt === LOCK_ATTEMPTS_MAX) throw new Error(`${missing[0]!.key} could not be locked`);
    await makeTotals(client, missing);
  }
}

async function makeTotals(client: PoolClient, requests: readonly HoldRequest[]): Promise<void> {
  const byKey = new Map(requests.map((request) => [request.key, request]));
  const made = [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  await client.query(
    `insert into hold_totals (key, held, slots, expires_at)
     select key, 0, case when rolling then '{}'::jsonb end, expires_at
     from unnest($1::text[], $2::boolean[], $3::timestamptz[]) as new (key, rolling, expires_at)
     on conflict (key) do nothing`,
    [
      made.map(({ key }) => key),
      made.map(({ rolling }) => rolling !== undefined),
      made.map(({ expiresAt }) => (expiresAt === undefined ? null : new Date(expiresAt))),
    ],
  );
}

function totalOf({ held, slots }: HoldRow): HoldTotal {
  if (slots === null) return { held: BigInt(held) };
  const parts = Object.entries(slots).map(([slot, amount]): [number, bigint] => [Number(slot), BigInt(amount)]);
  return { held: BigInt(held), slots: new Map(parts) };
}

export async function storeHolds(client: PoolClient, changed: HoldTotals): Promise<void> {
  const plain = [...changed].filter(([, { slots }]) => slots === undefined);
  const rolling = [...changed].filter(([, { slots }]) => slots !== undefined);
  await Promise.all([
    plain.length === 0 ? undefined : storePlain(client, plain),
    rolling.length === 0 ? undefined : storeRolling(client, rolling),
  ]);
}

async function storePlain(client: PoolClient, totals: readonly [string, HoldTotal][]): Promise<void> {
  await client.query({
    name: 'hold-store',
    text: `update hold_totals set held = new.held
           from unnest($1::text[], $2::numeric[]) as new (key, held) where hold_totals.key = new.key`,
    values: [totals.map(([key]) => key), totals.map(([, { held }]) => held.toString())],
  });
}

/** `held` of such a row is for people: what counts depends on the time. */
async function storeRolling(client: PoolClient, totals: readonly [string, HoldTotal][]): Promise<void> {
  const asJson = (slots: Slots) =>
    JSON.stringify(Object.fromEntries([...slots].map(([slot, amount]) => [slot, amount.toString()])));
  await client.query({
    name: 'hold-store-rolling',
    text: `update hold_totals set held = new.held, slots = new.slots::jsonb,
             expires_at = greatest(new.expires_at, hold_totals.expires_at)
           from unnest($1::text[], $2::numeric[], $3::text[], $4::timestamptz[]) as new (key, held, slots, expires_at)
           where hold_totals.key = new.key`,
    values: [
      totals.map(([key]) => key),
      totals.map(([, { held }]) => held.toString()),
      totals.map(([, { slots }]) => asJson(slots!)),
      totals.map(([, { expiresAt }]) => new Date(expiresAt ?? 0)),
    ],
  });
}
