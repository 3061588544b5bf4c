import type { Pool, PoolClient } from 'pg';
import { type SealRow, sealColumns } from './leaf.js';

/** Up to `limit` rows after a position, by position. */
export async function readSealRows(db: Pool | PoolClient, after: bigint, limit: number): Promise<readonly SealRow[]> {
  const { rows } = await db.query<SealRow[]>({
    name: 'seal-rows',
    rowMode: 'array',
    text: `select ${sealColumns} from events where position > $1 order by events.position limit $2`,
    values: [after.toString(), limit],
  });
  return rows as unknown as readonly SealRow[];
}

/** All rows after a position, page by page. The next page is on its way while the last one is worked on. */
export async function* pagesOfSealRows(
  db: Pool | PoolClient,
  after: bigint,
  pageSize: number,
): AsyncGenerator<readonly SealRow[]> {
  let coming = readSealRows(db, after, pageSize);
  for (;;) {
    const page = await coming;
    const last = page.at(-1);
    if (last === undefined) return;
    if (page.length < pageSize) {
      yield page;
      return;
    }
    coming = readSealRows(db, BigInt(last[0]), pageSize);
    // Whoever stops early does not wait for it; whoever goes on gets the error.
    coming.catch(() => undefined);
    yield page;
  }
}
