import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../platform/logger.js';
import { WakeLoop } from '../platform/wake-loop.js';
import type { StoredEvent } from './event.js';
import type { LogTail } from './log-tail.js';
import { readEventsAfter } from './rows.js';

const BATCH = 1000;
const IDLE_MS = 1000;

/** Rows derived from events. `apply` runs in the transaction that moves the checkpoint: each event counts once. */
export interface Projection {
  readonly name: string;
  /** Raise it when the rows change meaning; the projection is then rebuilt from the first event. */
  readonly version: number;
  readonly types: readonly string[];
  /** How long the rows may lag behind in busy times, so that events are taken in larger batches; milliseconds. */
  readonly lagMs: number;
  apply(client: PoolClient, events: readonly StoredEvent[]): Promise<void>;
  /** Empties the rows before a rebuild. */
  reset(client: PoolClient): Promise<void>;
}

/** Keeps one projection up to date. Any number of processes may run the same one: the checkpoint row is the lock. */
export class ProjectionRunner {
  private readonly loop: WakeLoop;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    private readonly projection: Projection,
    log: Logger,
  ) {
    this.loop = new WakeLoop(`projection ${projection.name}`, () => this.step(), IDLE_MS, log, projection.lagMs);
  }

  start(): void {
    this.unsubscribe = this.tail.onAppended(() => this.loop.wake());
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.unsubscribe?.();
    await this.loop.stop();
  }

  /** One batch; `true` if there may be more. */
  async step(): Promise<boolean> {
    const client = await this.pool.connect();
    let failed: unknown;
    try {
      await client.query('begin isolation level read committed');
      const more = await this.advance(client);
      await client.query('commit');
      return more;
    } catch (error) {
      failed = error;
      await client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      client.release(failed instanceof Error);
    }
  }

  private async advance(client: PoolClient): Promise<boolean> {
    const { name, version, types } = this.projection;
    await client.query(
      'insert into projection_checkpoints (name, version, position) values ($1, $2, 0) on conflict (name) do nothing',
      [name, version],
    );
    const { rows: locked } = await client.query<{ version: number; position: string }>(
      'select version, position::text from projection_checkpoints where name = $1 for update skip locked',
      [name],
    );
    const checkpoint = locked[0];
    if (!checkpoint) return false;
    let after = checkpoint.position;
    // During a rolling upgrade the older process leaves the rows to the newer one.
    if (checkpoint.version > version) return false;
    if (checkpoint.version < version) {
      await this.projection.reset(client);
      after = '0';
    }
    const events = await readEventsAfter(client, BigInt(after), BATCH);
    const last = events.at(-1);
    if (!last) return false;
    const wanted = events.filter((event) => types.includes(event.type));
    if (wanted.length > 0) await this.projection.apply(client, wanted);
    await client.query('update projection_checkpoints set version = $2, position = $3 where name = $1', [
      name,
      version,
      last.position.toString(),
    ]);
    return events.length === BATCH;
  }
}
