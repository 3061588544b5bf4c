import type { Pool } from 'pg';
import type { Removal } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';

/**
 * The answers that are kept for requests of a payer. Looked up from the answers, which are few, through the first
 * event of each payment: a projection may lag behind.
 */
export async function keptAnswersOf(pool: Pool, tenant: string, payer: Address): Promise<readonly Removal[]> {
  const { rows } = await pool.query<{ payment_id: string }>(
    `select a.payment_id from answers a join events e on e.stream = 'payment/' || a.payment_id and e.version = 1
     where e.tenant = $1 and e.data -> 'terms' ->> 'payer' = $2`,
    [tenant, payer],
  );
  return rows.map((row) => ({ table: 'answers', key: { payment_id: row.payment_id } }));
}
