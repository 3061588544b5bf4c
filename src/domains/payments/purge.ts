import type { Pool } from 'pg';

const BATCH = 5_000;
/** How long a signature is kept after its authorization lapsed, in seconds: until then settlement may still ask for it. */
const SIGNATURE_GRACE_SECONDS = 86_400;

/** Deletes answers and signatures that have no more use. `true` if there may be more. */
export async function purgeExpired(pool: Pool): Promise<boolean> {
  const answers = await pool.query(
    `delete from answers where payment_id in (select payment_id from answers where expires_at <= now() limit $1)`,
    [BATCH],
  );
  const signatures = await pool.query(
    `delete from authorizations where payment_id in (select payment_id from authorizations
       where valid_before < extract(epoch from now())::bigint - $2 limit $1)`,
    [BATCH, SIGNATURE_GRACE_SECONDS],
  );
  return answers.rowCount === BATCH || signatures.rowCount === BATCH;
}
