import type { Pool } from 'pg';
import { ofSameStream } from '../../base/event-store/stream-key.js';
import type { Removal } from '../../base/event-store/unit-of-work.js';
import type { Address } from '../../base/shared/hex.js';

/**
 * The answers that are kept for requests of a payer. Looked up from the answers, which are few, through the first
 * event of each payment: a projection may lag behind.
 */
export async function keptAnswersOf(pool: Pool, tenant: string, payer: Address): Promise<readonly Removal[]> {
  const { rows } = await pool.query<{ payment_id: string }>(
    `select k.payment_id from answers k join events a on ${ofSameStream("('payment/' || k.payment_id)")} and a.version = 1
     where a.tenant = $1 and a.data -> 'terms' ->> 'payer' = $2`,
    [tenant, payer],
  );
  return rows.map((row) => ({ table: 'answers', key: { payment_id: row.payment_id } }));
}
