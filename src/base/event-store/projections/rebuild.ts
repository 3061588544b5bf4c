import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { asStored, type StoredEvent, type Upcast } from '../event.js';
import { cloneTables, finishClone, hasClone, rebuildSchema, swapTables, useClone } from './clone-tables.js';
import { BatchSize, isPassing } from './failures.js';
import { inTransaction } from './in-transaction.js';
import {
  type Checkpoint,
  extendLease,
  holdCheckpoint,
  LEASE_MS,
  type Lease,
  moveCheckpoint,
  noteStop,
  releaseLease,
  THIS_PROCESS,
} from './leases.js';
import { type ApplyEvents, PoisonEvent, type Projection } from './projection.js';
import { readRange } from './read-range.js';
import { claimRebuild } from './rebuild-lease.js';

/** Positions a batch: enough that most payments begin and end within one. */
export const BATCH = 5_000;
const SWAP_ATTEMPTS = 100;
const SWAP_PAUSE_MS = 250;
const LOCK_NOT_AVAILABLE = '55P03';

export interface RebuildOptions {
  readonly upcast?: Upcast;
  readonly owner?: string;
  /** Continue what an interrupted rebuild of the same version left; otherwise it starts afresh. */
  readonly resume?: boolean;
  /** The rows are only compared and never take the place of the live ones. */
  readonly compareOnly?: boolean;
}

export interface RebuildProgress {
  /** Positions done, and how many there are to do. */
  readonly done: bigint;
  readonly total: bigint;
}

export type OnProgress = (progress: RebuildProgress) => void;

/** Another process rebuilds this projection, or took over while we were away. */
export class RebuildElsewhere extends Error {}

/** The rows in the database are those of a newer version of the projection. */
export class NewerRows extends Error {}

/**
 * Makes the rows of a projection anew in schema `rebuild_<name>`, beside the live ones. One process at a time: the row in
 * `projection_rebuilds` is a lease like that of the live projection, and is locked by each batch.
 */
export class Rebuild {
  private apply: ApplyEvents;
  private size = new BatchSize(BATCH);
  private readonly heart: NodeJS.Timeout;

  private constructor(
    /** Without a time limit for statements. */
    readonly pool: Pool,
    readonly projection: Projection,
    private readonly lease: Lease,
    private position: bigint,
    private readonly upcast: Upcast,
  ) {
    this.apply = projection.begin();
    // Making an index may take longer than a lease.
    this.heart = setInterval(() => extendLease(pool, lease).catch(() => undefined), LEASE_MS / 3);
    this.heart.unref();
  }

  /** @returns `undefined` if another process rebuilds it */
  static async begin(pool: Pool, projection: Projection, options: RebuildOptions = {}): Promise<Rebuild | undefined> {
    const { compareOnly = false, owner = THIS_PROCESS, resume = false, upcast = asStored } = options;
    return inTransaction(pool, async (client) => {
      const claimed = await claimRebuild(client, projection, owner);
      if (!claimed) return undefined;
      let { position } = claimed;
      const goesOn = resume && claimed.version === projection.version && (await hasClone(client, projection));
      if (!goesOn) {
        await cloneTables(client, projection, compareOnly);
        await client.query('update projection_rebuilds set version = $2, position = 0 where name = $1', [
          projection.name,
          projection.version,
        ]);
        position = 0n;
      }
      return new Rebuild(pool, projection, claimed.lease, position, upcast);
    });
  }

  /**
   * Applies the events up to where the live rows are, or up to the end of the log.
   *
   * @throws PoisonEvent, RebuildElsewhere, what the database throws, or the signal's reason
   */
  async fill(upTo: 'live' | 'head', onProgress?: OnProgress, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const target = await this.target(upTo);
      onProgress?.({ done: this.position, total: target });
      if (this.position >= target) return;
      await this.fillTo(target, onProgress, signal);
    }
  }

  /**
   * Applies what the projection wants of a batch that begins where it stands.
   *
   * @returns `false` if that failed: nothing was applied
   */
  async take(events: readonly StoredEvent[], to: bigint): Promise<boolean> {
    const { types } = this.projection;
    try {
      await this.applyBatch(
        events.filter(({ type }) => types.includes(type)),
        to,
      );
      return true;
    } catch {
      this.apply = this.projection.begin();
      return false;
    }
  }

  /** The indexes that were not needed so far. */
  async index(): Promise<void> {
    await inTransaction(this.pool, (client) => finishClone(client, this.projection));
  }

  /** Exactly to this position, which is not before ours. */
  async fillTo(target: bigint, onProgress?: OnProgress, signal?: AbortSignal): Promise<void> {
    let next = this.read(this.position, target);
    while (this.position < target) {
      signal?.throwIfAborted();
      const { events, to } = await next;
      // The next events are on their way while these are applied.
      next = this.read(to, target);
      next.catch(() => undefined);
      const taken = Number(to - this.position);
      try {
        await this.applyBatch(events, to);
        this.size.succeeded();
      } catch (error) {
        await this.failed(error, taken);
        next = this.read(this.position, target);
      }
      onProgress?.({ done: this.position, total: target });
    }
  }

  /**
   * Puts the rebuilt rows in the place of the live ones, at the end of the log, and ends the rebuild. Whoever runs the live
   * projection is fenced off and begins anew. Readers wait for a moment at most.
   *
   * @throws NewerRows
   */
  async swap(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        await inTransaction(this.pool, (client) => this.swapWithin(client));
        clearInterval(this.heart);
        return;
      } catch (error) {
        this.apply = this.projection.begin();
        // A long read of the live rows: better we wait than everybody behind us.
        if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempt === SWAP_ATTEMPTS) throw error;
        await pause(SWAP_PAUSE_MS);
      }
    }
  }

  /** Gives up the right to rebuild; what is done stays for a rebuild that resumes. */
  async pause(): Promise<void> {
    clearInterval(this.heart);
    await releaseLease(this.pool, this.lease);
  }

  /** Ends the rebuild and removes its rows. */
  async drop(): Promise<void> {
    clearInterval(this.heart);
    await inTransaction(this.pool, async (client) => {
      if (!(await holdCheckpoint(client, this.lease))) return;
      await client.query(`drop schema if exists ${rebuildSchema(this.projection)} cascade`);
      await client.query('delete from projection_rebuilds where name = $1', [this.projection.name]);
    });
  }

  /** Position that the live rows have come to, or the last one of the log. */
  async target(upTo: 'live' | 'head'): Promise<bigint> {
    const { rows } = await this.pool.query<{ live: string | null; head: string }>(
      `select (select position from projection_checkpoints where name = $1)::text as live,
         (select coalesce(max(position), 0) from events)::text as head`,
      [this.projection.name],
    );
    const { head, live } = rows[0]!;
    return BigInt(upTo === 'head' ? head : (live ?? '0'));
  }

  private async read(after: bigint, target: bigint): Promise<{ events: StoredEvent[]; to: bigint }> {
    const end = after + BigInt(this.size.current);
    const to = end < target ? end : target;
    return { events: to > after ? await readRange(this.pool, this.projection, after, to, this.upcast) : [], to };
  }

  private async applyBatch(events: readonly StoredEvent[], to: bigint): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      // If Postgres dies, the last batches are lost together with their position.
      await client.query('set local synchronous_commit = off');
      await this.hold(client);
      await useClone(client, this.projection);
      if (events.length > 0) await this.apply(client, events);
      await client.query('set local search_path = public');
      await moveCheckpoint(client, this.lease, to);
    });
    this.position = to;
  }

  private async failed(error: unknown, taken: number): Promise<void> {
    this.apply = this.projection.begin();
    if (error instanceof RebuildElsewhere || isPassing(error)) throw error;
    if (taken > 1) {
      this.size.failed(taken);
      return;
    }
    const poison = new PoisonEvent(this.projection.name, this.position + 1n, error);
    await noteStop(this.pool, this.lease, poison.position, poison.message);
    throw poison;
  }

  private async hold(client: PoolClient): Promise<Checkpoint> {
    const checkpoint = await holdCheckpoint(client, this.lease);
    if (!checkpoint) throw new RebuildElsewhere(`another process rebuilds projection ${this.projection.name}`);
    return checkpoint;
  }

  private async swapWithin(client: PoolClient): Promise<void> {
    const { name, version } = this.projection;
    const { rows } = await client.query<{ version: number }>(
      'select version from projection_checkpoints where name = $1 for update',
      [name],
    );
    if (rows[0] && rows[0].version > version) {
      throw new NewerRows(`projection ${name} has rows of version ${rows[0].version}, newer than ${version}`);
    }
    const { head, position } = await this.hold(client);
    await useClone(client, this.projection);
    const late = await readRange(client, this.projection, position, head, this.upcast);
    if (late.length > 0) await this.apply(client, late);
    await client.query(`set local search_path = public; set local lock_timeout = '${SWAP_PAUSE_MS}ms'`);
    await swapTables(client, this.projection);
    await client.query(
      `insert into projection_checkpoints as c (name, version, position) values ($1, $2, $3)
       on conflict (name) do update set version = excluded.version, position = excluded.position, epoch = c.epoch + 1,
         owner = null, lease_until = null, wanted_by = null, stopped_at = null, stopped_error = null`,
      [name, version, head.toString()],
    );
    await client.query('delete from projection_rebuilds where name = $1', [name]);
  }
}
