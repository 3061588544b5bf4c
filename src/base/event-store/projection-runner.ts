import type { Pool } from 'pg';
import type { Logger } from '../platform/logger.js';
import { openBatchPoolBeside } from '../platform/pool.js';
import { WakeLoop } from '../platform/wake-loop.js';
import { asStored, type Upcast } from './event.js';
import type { LogTail } from './log-tail.js';
import { BatchSize, isPassing } from './projections/failures.js';
import { inTransaction } from './projections/in-transaction.js';
import {
  type Checkpoint,
  claimProjection,
  extendLease,
  holdCheckpoint,
  type Lease,
  moveCheckpoint,
  noteStop,
  registerProjection,
  releaseLease,
  THIS_PROCESS,
} from './projections/leases.js';
import { type ApplyEvents, PoisonEvent, type Projection } from './projections/projection.js';
import { readRange } from './projections/read-range.js';
import { Rebuild } from './projections/rebuild.js';
import { askForProjection, handOver } from './projections/sharing.js';

export type { ApplyEvents, Projection } from './projections/projection.js';

const BATCH = 1000;
const IDLE_MS = 1000;
/** Least time between two extensions of a lease without news, and between two looks at a lease that others have. */
const EXTEND_MS = 900;
const CLAIM_MS = 250;
/** An event that cannot be applied is tried again, ever more seldom. */
const RETRY_MS = 2_000;
const RETRY_MOST_MS = 60_000;

interface Stop {
  readonly position: bigint;
  readonly pauseMs: number;
  readonly retryAt: number;
}

/**
 * Keeps one projection up to date. Any number of processes may run the same one: the one that has the lease works, the
 * others wait for it to lapse. Rows of an older version are rebuilt beside the live ones first; rows of a newer version
 * are left alone, as an older process must during a rolling upgrade.
 */
export class ProjectionRunner {
  private readonly loop: WakeLoop;
  private readonly stopping = new AbortController();
  private unsubscribe: (() => void) | undefined;
  private apply: ApplyEvents;
  private lease: Lease | undefined;
  private size = new BatchSize(BATCH);
  /** The batch that was tried last; after the position, up to. */
  private tried: { readonly after: bigint; readonly to: bigint } | undefined;
  private stopped: Stop | undefined;
  private claimAt = 0;
  private extendAt = 0;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    private readonly projection: Projection,
    private readonly log: Logger,
    private readonly upcast: Upcast = asStored,
    private readonly owner: string = THIS_PROCESS,
  ) {
    this.apply = projection.begin();
    this.loop = new WakeLoop(`projection ${projection.name}`, () => this.step(), IDLE_MS, log, projection.lagMs);
  }

  start(): void {
    this.unsubscribe = this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  /** Gives the lease back, so that another process goes on at once. */
  async stop(): Promise<void> {
    this.unsubscribe?.();
    this.stopping.abort();
    await this.loop.stop();
    // What cannot be given back lapses.
    if (this.lease) await releaseLease(this.pool, this.lease).catch(() => undefined);
    this.lease = undefined;
  }

  /** One batch, or what has to come before; `true` if there may be more to do at once. */
  async step(): Promise<boolean> {
    if (!this.lease) return this.take();
    if (this.stopped && performance.now() < this.stopped.retryAt) {
      if (!(await extendLease(this.pool, this.lease))) this.lose();
      return false;
    }
    return this.batch(this.lease);
  }

  private async take(): Promise<boolean> {
    if (performance.now() < this.claimAt) return false;
    this.claimAt = performance.now() + CLAIM_MS;
    const { version } = await registerProjection(this.pool, this.projection);
    if (version > this.projection.version) return false;
    if (version < this.projection.version) return this.upgrade();
    this.lease = await claimProjection(this.pool, this.projection, this.owner);
    if (!this.lease) {
      await askForProjection(this.pool, this.projection, this.owner);
      return false;
    }
    this.apply = this.projection.begin();
    this.size = new BatchSize(BATCH);
    this.log.info({ projection: this.projection.name }, 'projection taken over');
    return true;
  }

  private async upgrade(): Promise<boolean> {
    const { name, tables, version } = this.projection;
    this.claimAt = 0;
    if (tables.length === 0) {
      await this.pool.query('update projection_checkpoints set version = $2 where name = $1 and version < $2', [
        name,
        version,
      ]);
      return true;
    }
    const pool = openBatchPoolBeside(this.pool, 'tollbook-rebuild', this.log);
    try {
      return await this.rebuild(pool);
    } finally {
      await pool.end();
    }
  }

  /** `false`: another process is at it, or we are stopping. */
  private async rebuild(pool: Pool): Promise<boolean> {
    const { projection, stopping, upcast } = this;
    const rebuild = await Rebuild.begin(pool, projection, { upcast, owner: this.owner, resume: true });
    if (!rebuild) return false;
    const told = { projection: projection.name, version: projection.version };
    try {
      this.log.info(told, 'projection is rebuilt beside the live rows');
      await rebuild.fill('head', undefined, stopping.signal);
      await rebuild.index();
      await rebuild.fill('head', undefined, stopping.signal);
      await rebuild.swap(stopping.signal);
      this.log.info(told, 'projection is rebuilt');
      return true;
    } catch (error) {
      await rebuild.pause();
      if (stopping.signal.aborted) return false;
      if (!(error instanceof PoisonEvent)) throw error;
      this.claimAt = performance.now() + RETRY_MOST_MS;
      this.log.error({ ...told, err: error.message }, 'rebuild stopped; the live rows stay as they are');
      return false;
    }
  }

  private async batch(lease: Lease): Promise<boolean> {
    this.tried = undefined;
    let held: (Checkpoint & { readonly to: bigint }) | undefined;
    try {
      held = await inTransaction(this.pool, (client) => this.advance(client, lease));
    } catch (error) {
      return this.failed(error, lease);
    }
    if (!held) {
      this.lose();
      return true;
    }
    if (held.to > held.position) this.succeeded(held.to);
    if (held.wantedBy !== null && (await handOver(this.pool, lease))) {
      this.claimAt = performance.now() + IDLE_MS;
      this.lose();
      return false;
    }
    return held.to < held.head;
  }

  private async advance(client: Parameters<ApplyEvents>[0], lease: Lease) {
    const checkpoint = await holdCheckpoint(client, lease);
    if (!checkpoint) return undefined;
    const { head, position } = checkpoint;
    const end = position + BigInt(this.size.current);
    const to = end < head ? end : head;
    if (to > position) {
      this.tried = { after: position, to };
      const events = await readRange(client, this.projection, position, to, this.upcast);
      if (events.length > 0) await this.apply(client, events);
    }
    if (to > position || performance.now() > this.extendAt) {
      await moveCheckpoint(client, lease, to);
      this.extendAt = performance.now() + EXTEND_MS;
    }
    return { ...checkpoint, to };
  }

  private succeeded(to: bigint): void {
    this.size.succeeded();
    if (!this.stopped) return;
    this.stopped = undefined;
    this.log.info({ projection: this.projection.name, position: to.toString() }, 'projection goes on');
  }

  /** Looks for the one event that is at fault, in ever smaller batches, and stops there. */
  private async failed(error: unknown, lease: Lease): Promise<boolean> {
    this.apply = this.projection.begin();
    if (!this.tried || isPassing(error)) throw error;
    const { after, to } = this.tried;
    const taken = Number(to - after);
    if (taken > 1) {
      this.size.failed(taken);
      return true;
    }
    const pauseMs = this.stopped?.position === to ? Math.min(this.stopped.pauseMs * 2, RETRY_MOST_MS) : RETRY_MS;
    this.stopped = { position: to, pauseMs, retryAt: performance.now() + pauseMs };
    const poison = new PoisonEvent(this.projection.name, to, error);
    await noteStop(this.pool, lease, to, poison.message);
    const told = { projection: poison.projection, position: to.toString(), err: poison.message };
    this.log.error(told, 'projection stopped at an event that it cannot apply; the others go on');
    return false;
  }

  private lose(): void {
    this.lease = undefined;
    this.stopped = undefined;
  }
}
