import type { Pool } from 'pg';

const BATCH = 5_000;
/** How long the total of a window that is over is kept, in milliseconds. */
const KEPT_MS = 86_400_000;

/** Deletes totals of windows that nobody asks for any more. `true` if there may be more. @param now epoch milliseconds */
export async function purgeWindows(pool: Pick<Pool, 'query'>, now: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `delete from hold_totals where key in
       (select key from hold_totals where expires_at < $1 order by key limit $2 for update skip locked)`,
    [new Date(now - KEPT_MS), BATCH],
  );
  return rowCount === BATCH;
}
