import type { Pool } from 'pg';
import type { Verdict } from './verdict.js';

/** Longer than that behind the chain, in seconds, is worth a word. */
const LATE_SECONDS = 60;

interface Late {
  readonly network: string;
  readonly seconds: string;
  readonly stopped: string | null;
}

/** Worth an alarm and nothing more: requests can be sold and settled meanwhile. A chain that no worker ever followed is not late. */
export async function reconcilerVerdict(pool: Pick<Pool, 'query'>): Promise<Verdict> {
  const { rows } = await pool.query<Late>(
    `select network, stopped, floor(extract(epoch from clock_timestamp() - caught_up_at))::text as seconds
     from chain_checkpoints where stopped is not null or caught_up_at < clock_timestamp() - interval '${LATE_SECONDS} seconds'
     order by network`,
  );
  if (rows.length === 0) return { says: 'ok', ready: true };
  const words = rows.map(
    ({ network, seconds, stopped }) => `${network}: ${stopped ?? `${seconds} s behind the chain`}`,
  );
  return { says: words.join('; '), ready: true };
}
