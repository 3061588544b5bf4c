import type { Pool } from 'pg';
import { GroupCommit } from '../../base/event-store/group-commit.js';
import type { Logger } from '../../base/platform/logger.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Address } from '../../base/shared/hex.js';
import type { KeyScope } from './customer-key.js';
import { digestOf } from './key-text.js';

const BATCH_MAX = 200;
/** A key's last use is noted at most this often, in milliseconds. */
const NOTE_MS = 60_000;

interface KeyRow {
  readonly digest: string;
  readonly id: string;
  readonly tenant: string;
  readonly payer: Address;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly scope: KeyScope | null;
}

/** Whose key it is, and whether it is good for the route that it was shown on. */
export interface FoundKey {
  readonly payer: Address;
  readonly inScope: boolean;
}

/**
 * Whose key it is. Each request asks the database, so that a key is no good for any request that is sent after its
 * revocation; requests that arrive together share one query, which began after all of them.
 */
export class KeyFinder {
  private readonly queries: GroupCommit<string, KeyRow | undefined>;

  constructor(
    private readonly pool: Pool,
    private readonly secret: Uint8Array,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.queries = new GroupCommit(
      (digests) => this.read(digests),
      () => [],
      BATCH_MAX,
    );
  }

  /** The tenant's customer with this key; nobody, without a query, for a text that we never made. */
  async find(tenant: string, route: string, key: string): Promise<FoundKey | undefined> {
    const digest = digestOf(key, this.secret);
    const row = digest === undefined ? undefined : await this.queries.add(digest);
    if (row === undefined || row.tenant !== tenant) return undefined;
    const now = this.clock();
    if (row.expires_at !== null && row.expires_at.getTime() <= now) return undefined;
    if (row.last_used_at === null || row.last_used_at.getTime() < now - NOTE_MS) this.note(row.id, now);
    return { payer: row.payer, inScope: row.scope === null || row.scope.routes.includes(route) };
  }

  private async read(digests: readonly string[]) {
    const { rows } = await this.pool.query<KeyRow>({
      name: 'customer-keys',
      text: `select digest, id, tenant, payer, expires_at, last_used_at, scope from customer_keys
             where digest = any($1::text[])`,
      values: [[...new Set(digests)]],
    });
    const found = new Map(rows.map((row) => [row.digest, row]));
    return digests.map((digest) => ({ ok: found.get(digest) }));
  }

  /** Nobody waits for it, and nothing depends on it. */
  private note(id: string, now: number): void {
    this.pool
      .query(
        `update customer_keys set last_used_at = $2::timestamptz
         where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - $3::int * interval '1 millisecond')`,
        [id, new Date(now), NOTE_MS],
      )
      .catch((error: Error) => this.log.warn({ err: error.message }, 'the use of a key could not be noted'));
  }
}
