import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../platform/logger.js';
import { WakeLoop } from '../platform/wake-loop.js';
import { asStored, type StoredEvent, type Upcast } from './event.js';
import type { LogTail } from './log-tail.js';
import { readEventsAfter } from './rows.js';

const BATCH = 1000;
const IDLE_MS = 1000;

/** Applies events, in commit order, within the transaction that moves the checkpoint: each event counts once. */
export type ApplyEvents = (client: PoolClient, events: readonly StoredEvent[]) => Promise<void>;

/** Rows derived from events. */
export interface Projection {
  readonly name: string;
  /** Raise it when the rows change meaning; the projection is then rebuilt from the first event. */
  readonly version: number;
  readonly types: readonly string[];
  /**
   * The tables that hold its rows, and nothing else. Its statements name them without a schema, because a rebuild fills
   * a copy beside the live ones. None, if its effect is elsewhere: then it is never rebuilt.
   */
  readonly tables: readonly string[];
  /** How long the rows may lag behind in busy times, so that events are taken in larger batches; milliseconds. */
  readonly lagMs: number;
  /** What one run of it remembers between batches ends with the run: after a failure and on taking over it begins anew. */
  begin(): ApplyEvents;
}

/** Keeps one projection up to date. Any number of processes may run the same one: the checkpoint row is the lock. */
export class ProjectionRunner {
  private readonly loop: WakeLoop;
  private unsubscribe: (() => void) | undefined;
  private apply: ApplyEvents;

  constructor(
    private readonly pool: Pool,
    private readonly tail: LogTail,
    private readonly projection: Projection,
    log: Logger,
    private readonly upcast: Upcast = asStored,
  ) {
    this.apply = projection.begin();
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
      this.apply = this.projection.begin();
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
      for (const table of this.projection.tables) await client.query(`truncate ${table}`);
      after = '0';
    }
    const events = await readEventsAfter(client, BigInt(after), BATCH, this.upcast);
    const last = events.at(-1);
    if (!last) return false;
    const wanted = events.filter((event) => types.includes(event.type));
    if (wanted.length > 0) await this.apply(client, wanted);
    await client.query('update projection_checkpoints set version = $2, position = $3 where name = $1', [
      name,
      version,
      last.position.toString(),
    ]);
    return events.length === BATCH;
  }
}
