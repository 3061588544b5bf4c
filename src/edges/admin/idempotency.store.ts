import { createHmac, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { openAnswer, type StoredAnswer, sealAnswer } from '../../domains/payments/answers.js';
import type { KeyedRequest } from './idempotency-key.js';

/** How long an answer is kept for repeats, in seconds. */
export const KEPT_SECONDS = 86_400;
/** After this many seconds the process that ran the first request counts as gone; longer than any of them takes. */
const LEASE_SECONDS = 60;
const PURGE_BATCH = 1_000;
const CLAIM_ATTEMPTS_MAX = 3;

/** What a request finds under its key. `run` is to be ended by `keep` or `release`. */
export type Claim =
  | { readonly kind: 'run'; readonly request: KeyedRequest; readonly holder: string }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer }
  | { readonly kind: 'in_progress' | 'reused' };

type Running = Extract<Claim, { kind: 'run' }>;

/**
 * Keys and answers in Postgres, for all control processes: the primary key decides who runs a request. Answers are encrypted
 * under the caller's key, which is not stored: they may hold names and secrets.
 */
export class IdempotencyStore {
  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    private readonly secret: Buffer,
  ) {}

  async claim(request: KeyedRequest): Promise<Claim> {
    const holder = randomUUID();
    for (let attempt = 1; attempt <= CLAIM_ATTEMPTS_MAX; attempt++) {
      if (await this.take(request, holder)) return { kind: 'run', request, holder };
      const found = await this.find(request);
      if (found) return found;
    }
    return { kind: 'in_progress' };
  }

  async keep({ holder, request }: Running, answer: StoredAnswer): Promise<void> {
    await this.pool.query('update idempotency_keys set answer = $3 where id = $1 and holder = $2', [
      request.id,
      holder,
      sealAnswer(this.keyOf(request), request.id, answer),
    ]);
  }

  /** Nothing was done: the key is free again. */
  async release({ holder, request }: Running): Promise<void> {
    await this.pool.query('delete from idempotency_keys where id = $1 and holder = $2', [request.id, holder]);
  }

  /** `true` if there may be more to delete. */
  async purge(): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      `delete from idempotency_keys where id in (select id from idempotency_keys where expires_at <= now() limit $1)`,
      [PURGE_BATCH],
    );
    return rowCount === PURGE_BATCH;
  }

  /** The key of a process that is gone may be taken over, but only for the request that it was for. */
  private async take({ fingerprint, id }: KeyedRequest, holder: string): Promise<boolean> {
    const { rowCount } = await this.pool.query(
      `insert into idempotency_keys as held (id, fingerprint, holder, lease_until, expires_at)
       values ($1, $2, $3, now() + $4 * interval '1 second', now() + $5 * interval '1 second')
       on conflict (id) do update set (fingerprint, holder, lease_until, expires_at, answer) =
         (excluded.fingerprint, excluded.holder, excluded.lease_until, excluded.expires_at, null)
       where held.expires_at <= now()
         or (held.answer is null and held.lease_until <= now() and held.fingerprint = excluded.fingerprint)`,
      [id, fingerprint, holder, LEASE_SECONDS, KEPT_SECONDS],
    );
    return rowCount === 1;
  }

  /** `undefined` if the key is free by now. */
  private async find(request: KeyedRequest): Promise<Claim | undefined> {
    const { rows } = await this.pool.query<{ fingerprint: string; answer: Buffer | null }>(
      'select fingerprint, answer from idempotency_keys where id = $1 and expires_at > now()',
      [request.id],
    );
    const [row] = rows;
    if (!row) return undefined;
    if (row.fingerprint !== request.fingerprint) return { kind: 'reused' };
    if (row.answer === null) return { kind: 'in_progress' };
    const answer = openAnswer(this.keyOf(request), request.id, row.answer);
    if (answer) return { kind: 'replay', answer };
    // Kept under a secret that was replaced since: nobody can read it any more.
    await this.pool.query('delete from idempotency_keys where id = $1 and answer = $2', [request.id, row.answer]);
    return undefined;
  }

  private keyOf({ key }: KeyedRequest): Buffer {
    return createHmac('sha256', this.secret).update(`tollbook-idempotency\n${key}`).digest();
  }
}
