import type { Pool } from 'pg';

/** How far the clocks of the processes that append may be apart, in milliseconds, for a search by time to find everything. */
const SKEW_MS = 60_000;

/**
 * The positions that events of a time can have, both included. Times rise with positions but for the skew of clocks, so
 * they are searched by halving; what lies within the skew is included, and the caller's to filter.
 * @param head the last position that counts: the same for the same head, however much the log has grown; the newest if absent
 */
export async function positionsBetween(
  pool: Pool,
  from: Date | undefined,
  to: Date | undefined,
  head?: bigint,
): Promise<{ readonly first: bigint; readonly last: bigint }> {
  const end = head ?? (await newestPosition(pool));
  const first = from === undefined ? 1n : await firstSince(pool, from.getTime() - SKEW_MS, end);
  const behind = to === undefined ? end + 1n : await firstSince(pool, to.getTime() + SKEW_MS + 1, end);
  return { first, last: behind - 1n };
}

/** 0 if there are no events. */
export async function newestPosition(pool: Pool): Promise<bigint> {
  const { rows } = await pool.query<{ head: string }>('select coalesce(max(position), 0)::text as head from events');
  return BigInt(rows[0]!.head);
}

/** The first position whose event is not older; `head + 1` if all are. */
async function firstSince(pool: Pool, time: number, head: bigint): Promise<bigint> {
  let [low, high] = [1n, head + 1n];
  while (low < high) {
    const middle = (low + high) / 2n;
    const { rows } = await pool.query<{ occurred_at: Date }>({
      name: 'time-at',
      text: 'select occurred_at from events where position >= $1 order by position limit 1',
      values: [middle.toString()],
    });
    if (Number(rows[0]?.occurred_at ?? Number.POSITIVE_INFINITY) >= time) high = middle;
    else low = middle + 1n;
  }
  return low;
}
