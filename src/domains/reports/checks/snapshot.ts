import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { readSnapshot } from '../../../base/platform/read-snapshot.js';

const PAGE = 2_000;

/** Everything read through it is of one moment, however long the reading takes. */
export interface Snapshot {
  /** Position of the last event at that moment; 0 for an empty log. */
  readonly head: bigint;
  query<T extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** The rows of one statement in pages, in constant memory; Postgres sorts on its disk. */
  pages<T extends QueryResultRow>(text: string, values?: readonly unknown[], size?: number): AsyncGenerator<T[]>;
}

/** @param tables that a rebuild may replace, see `readSnapshot` */
export function inSnapshot<T>(
  pool: Pool,
  tables: readonly string[],
  read: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return readSnapshot(pool, ['events', ...tables], async (client) => {
    await client.query('set local idle_in_transaction_session_timeout = 0');
    const { rows } = await client.query<{ head: string }>(
      'select coalesce(max(position), 0)::text as head from events',
    );
    return read(new ClientSnapshot(client, BigInt(rows[0]!.head)));
  });
}

class ClientSnapshot implements Snapshot {
  private cursors = 0;

  constructor(
    private readonly client: PoolClient,
    readonly head: bigint,
  ) {}

  async query<T extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.client.query<T>(text, [...values])).rows;
  }

  async *pages<T extends QueryResultRow>(text: string, values: readonly unknown[] = [], size = PAGE) {
    const cursor = `page_${++this.cursors}`;
    await this.client.query(`declare ${cursor} no scroll cursor for ${text}`, [...values]);
    for (;;) {
      const { rows } = await this.client.query<T>(`fetch ${size} from ${cursor}`);
      if (rows.length > 0) yield rows;
      if (rows.length < size) break;
    }
    await this.client.query(`close ${cursor}`);
  }
}
