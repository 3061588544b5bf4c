import type { Pool } from 'pg';
import type { SettlementChain } from '../../base/chain/chain.js';
import type { Address } from '../../base/shared/hex.js';

type Chain = Pick<SettlementChain, 'minedNonce' | 'network' | 'settlers'>;

/**
 * Epoch milliseconds until when this installation settled payments that its log does not know: it was restored from an
 * older copy. `undefined` if that never happened. The book of transactions has every nonce of each settler from the
 * first on, so what is missing between two rows was sent before the later one was recorded, and what the chain has
 * beyond the last row before now. A key that was used elsewhere looks the same; being careful for a while harms nobody.
 *
 * @throws ChainUnavailable
 */
export async function settlementsLostUntil(
  pool: Pick<Pool, 'query'>,
  chain: Chain,
  now: number,
): Promise<number | undefined> {
  const all = await Promise.all(chain.settlers.map((settler) => lostUntil(pool, chain, settler, now)));
  const known = all.filter((until) => until !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}

async function lostUntil(
  pool: Pick<Pool, 'query'>,
  chain: Chain,
  settler: Address,
  now: number,
): Promise<number | undefined> {
  // The chain first: what is sent between the two looks is in the book by then.
  const mined = await chain.minedNonce(settler);
  const { rows } = await pool.query<{ next: string; behind_gap: Date | null }>(
    `select coalesce(max(nonce) + 1, 0) as next, max(created_at) filter (where nonce > previous + 1) as behind_gap
     from (select nonce, created_at, lag(nonce, 1, -1::bigint) over (order by nonce) as previous
       from settlement_transactions where network = $1 and settler = $2) as rows`,
    [chain.network, settler],
  );
  const { behind_gap: behindGap, next } = rows[0]!;
  if (Number(next) < mined) return now;
  return behindGap?.getTime();
}
