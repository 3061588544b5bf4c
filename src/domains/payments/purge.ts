import type { Pool } from 'pg';
import { epochSeconds } from '../../base/shared/clock.js';
import { OPEN_STATES } from './settle.decide.js';

const BATCH = 5_000;
/**
 * How long a signature is kept after its authorization lapsed, in seconds; longer while its payment is open: a chain without traffic
 * has to be brought past the lapse by a transaction.
 */
const SIGNATURE_GRACE_SECONDS = 86_400;

/** Deletes answers and signatures that have no more use. `true` if there may be more. @param now epoch milliseconds */
export async function purgeExpired(pool: Pool, now: number): Promise<boolean> {
  const answers = await pool.query(
    `delete from answers where payment_id in (select payment_id from answers where expires_at <= $1 limit $2)`,
    [new Date(now), BATCH],
  );
  const signatures = await pool.query(
    `delete from authorizations where payment_id in (select payment_id from authorizations a
       where valid_before < $1 and exists (select 1 from payments p where p.id = a.payment_id and p.state <> all($3::text[]))
       limit $2)`,
    [epochSeconds(now) - SIGNATURE_GRACE_SECONDS, BATCH, OPEN_STATES],
  );
  return answers.rowCount === BATCH || signatures.rowCount === BATCH;
}
