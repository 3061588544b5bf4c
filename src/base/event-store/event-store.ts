import { setTimeout } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../shared/clock.js';
import { changeOf, readAccounts } from './accounts.js';
import { storeAttachments, storeRemovals } from './attachments.js';
import { decideWrites, type Refusal } from './decide-writes.js';
import { asStored, NEW_STREAM, type NewEvent, type StoredEvent, type Upcast, VersionConflict } from './event.js';
import { GroupCommit, type Outcome } from './group-commit.js';
import { type HoldTotals, lockHolds, storeHolds } from './hold-totals.js';
import { LogReplaced, NewestKnown } from './newest-known.js';
import { type EventRow, eventColumns, readEventsAfter, readStream, toStoredEvent } from './rows.js';
import { beginFor, denialOf, readDenied } from './standings.js';
import { ofStreams } from './stream-key.js';
import { together } from './together.js';
import { findStored, isUnanswered, remember, type Unanswered } from './unanswered.js';
import { type Appended, type Decision, type EventWriter, type Write, WriteRefused } from './unit-of-work.js';

const BATCH_MAX = 500;
const UNIQUE_VIOLATION = '23505';
const DEADLOCK = '40P01';
/** A batch that loses a race against another process is decided again from scratch, at most this often. */
const ATTEMPTS_MAX = 5;
/** How long a lost answer to a commit is asked after, and how often, in milliseconds. */
const UNANSWERED_MS = 10_000;
const UNANSWERED_PAUSE_MS = 200;

/** The log: appends with group commit, reads streams and the whole. Postgres is the only source of truth. */
export class EventStore implements EventWriter {
  private readonly commits: GroupCommit<Write, Appended>;
  private readonly newest = new NewestKnown();

  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
    private readonly upcast: Upcast = asStored,
  ) {
    this.commits = new GroupCommit((writes) => this.commit(writes), streamsOf, BATCH_MAX);
  }

  /**
   * Durable when it resolves. Rejects with `VersionConflict` if the stream is not at the expected version, with
   * `HoldsRefused` if a hard limit is reached, with `PayerDenied` or `AccountChanged` as `Write` says.
   */
  append(write: Write): Promise<Appended> {
    return this.commits.add(write);
  }

  /** All events of a stream, oldest first. Streams are short: one per payment, tariff or route. */
  async readStream(stream: string): Promise<StoredEvent[]> {
    return (await readStream(this.pool, stream)).map((event) => this.lift(event));
  }

  /** The events of many streams in one read; streams without events are missing from the map. */
  async readStreams(streams: readonly string[]): Promise<Map<string, StoredEvent[]>> {
    const { rows } = await this.pool.query<EventRow>({
      name: 'read-streams',
      text: `select ${eventColumns} from events where ${ofStreams} order by stream, version`,
      values: [streams],
    });
    const found = new Map<string, StoredEvent[]>();
    for (const event of rows.map((row) => this.lift(toStoredEvent(row)))) {
      const list = found.get(event.stream);
      if (list) list.push(event);
      else found.set(event.stream, [event]);
    }
    return found;
  }

  /** Up to `limit` events after a position, in commit order. */
  readAfter(position: bigint, limit: number): Promise<StoredEvent[]> {
    return readEventsAfter(this.pool, position, limit, this.upcast);
  }

  private lift(event: StoredEvent): StoredEvent {
    this.newest.note(event);
    return this.upcast(event);
  }

  private async commit(
    writes: readonly Write[],
    unanswered: Unanswered = new Map(),
  ): Promise<readonly Outcome<Appended>[]> {
    let giveUpAt = Number.POSITIVE_INFINITY;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(writes, attempt > 1, unanswered);
      } catch (error) {
        if (lostRace(error) && attempt < ATTEMPTS_MAX) continue;
        if (refusesOne(error) && writes.length > 1) return this.commitEach(writes, unanswered);
        if (error instanceof WriteRefused) throw error;
        if (unanswered.size === 0 || !isUnanswered(error) || performance.now() > giveUpAt) throw error;
        giveUpAt = Math.min(giveUpAt, performance.now() + UNANSWERED_MS);
        await setTimeout(UNANSWERED_PAUSE_MS);
      }
    }
  }

  /** One of them cannot be stored or refuses itself, and the others need not know which. */
  private async commitEach(writes: readonly Write[], unanswered: Unanswered): Promise<readonly Outcome<Appended>[]> {
    const outcomes: Outcome<Appended>[] = [];
    for (const write of writes) {
      const outcome = this.commit([write], unanswered).catch((error: unknown) => [{ error }]);
      outcomes.push(...(await outcome));
    }
    return outcomes;
  }

  private async attempt(writes: readonly Write[], again: boolean, unanswered: Unanswered) {
    const client = await this.pool.connect();
    let failed = true;
    try {
      const outcomes = await this.transaction(client, writes, again, unanswered);
      failed = false;
      return outcomes;
    } finally {
      // A connection with a failed transaction is not worth mending: statements behind the failure may be on it.
      client.release(failed);
    }
  }

  /**
   * Two round trips on a pipelined connection: first everything that is asked, then everything that is stored, with
   * the commit behind it. So the log's lock, taken last, is never held across a round trip, except `again`: then it is
   * taken before the streams are looked up, so that nobody can be faster once more.
   */
  private async transaction(
    client: PoolClient,
    writes: readonly Write[],
    again: boolean,
    unanswered: Unanswered,
  ): Promise<Outcome<Appended>[]> {
    const begun = client.query(beginFor(writes));
    const locked = lockHolds(
      client,
      writes.map((write) => write.holds),
    );
    // A write at a known version of our own stream is not looked up, while the log is the one that we know: if the unique
    // constraint objects, everything is looked up in the next attempt.
    const [, totals, , , current, denied, changed] = await together([
      begun,
      locked,
      again ? client.query('select pg_advisory_xact_lock(8402, 1)') : begun,
      this.newest.mustStand(client),
      this.versions(client, again || !this.newest.trustsVersions ? writes : writes.filter(isClaim)),
      readDenied(
        client,
        writes.flatMap(({ admits }) => admits ?? []),
      ),
      readAccounts(
        client,
        writes.flatMap(({ account }) => account ?? []),
      ),
    ]);
    const refused = new Map<Write, Refusal>();
    for (const write of writes) {
      const refusal = conflictOf(write, current) ?? denialOf(write, denied) ?? changeOf(write, changed);
      if (refusal) refused.set(write, refusal);
    }
    const results = await findStored(client, [...refused.keys()], unanswered);
    await together(writes.flatMap((write) => (refused.has(write) || !write.prepare ? [] : [write.prepare(client)])));
    const { changed: holds, decisions, granted, live } = decideWrites(writes, refused, totals);
    const ends = await this.store(client, live, decisions, holds, unanswered);
    live.forEach((write, index) => {
      const events = decisions[index]!.events;
      const [version, position] = [write.expectedVersion + events.length, ends[index]!];
      if (events.length > 0) this.newest.note({ stream: write.stream, version, position });
      results.set(write, { events, version, position, granted: granted.get(write) });
    });
    return writes.map((write): Outcome<Appended> => {
      const appended = results.get(write);
      return appended ? { ok: appended } : { error: refused.get(write) };
    });
  }

  /** Everything that a transaction stores, and its commit. Returns the position of each write's last event. */
  private async store(
    client: PoolClient,
    writes: readonly Write[],
    decisions: readonly Decision[],
    holds: HoldTotals,
    unanswered: Unanswered,
  ): Promise<readonly bigint[]> {
    try {
      const [, , , ends] = await together([
        storeHolds(client, holds),
        storeAttachments(
          client,
          decisions.flatMap((decision) => decision.attachments ?? []),
        ),
        storeRemovals(
          client,
          decisions.flatMap((decision) => decision.removals ?? []),
        ),
        this.insertEvents(client, writes, decisions),
        // After a failure before it this ends the transaction as a rollback, and the failure is what is thrown.
        client.query('commit'),
      ]);
      return ends;
    } catch (error) {
      if (isUnanswered(error)) {
        for (const [index, write] of writes.entries()) remember(unanswered, write, decisions[index]!.events);
      }
      throw error;
    }
  }

  private async versions(client: PoolClient, writes: readonly Write[]): Promise<Map<string, number>> {
    if (writes.length === 0) return new Map();
    const streams = writes.flatMap(streamsOf);
    const { rows } = await client.query<{ stream: string; version: number }>({
      name: 'stream-versions',
      text: `select stream, max(version) as version from events where ${ofStreams} group by stream`,
      values: [streams],
    });
    const found = new Map(rows.map((row) => [row.stream, row.version]));
    return new Map(streams.map((stream) => [stream, found.get(stream) ?? NEW_STREAM]));
  }

  /** Returns the position of each write's last event. */
  private async insertEvents(client: PoolClient, writes: readonly Write[], decisions: readonly Decision[]) {
    const streams: string[] = [];
    const versions: number[] = [];
    const tenants: string[] = [];
    const events: NewEvent[] = [];
    const ends: number[] = [];
    writes.forEach((write, index) => {
      decisions[index]!.events.forEach((event, offset) => {
        streams.push(write.stream);
        versions.push(write.expectedVersion + offset + 1);
        tenants.push(write.tenant);
        events.push(event);
      });
      ends.push(events.length);
      if (write.claim) {
        streams.push(write.claim.stream);
        versions.push(write.claim.expectedVersion + 1);
        tenants.push(write.tenant);
        events.push(write.claim.event);
      }
    });
    if (events.length === 0) return ends.map(() => 0n);
    const { rows } = await client.query<{ head: string }>({
      name: 'append-events',
      text: 'select append_events($1, $2, $3, $4, $5, $6, $7) as head',
      values: [
        lines(streams),
        lines(versions),
        lines(events.map((event) => event.type)),
        lines(events.map((event) => event.schema)),
        lines(tenants),
        lines(events.map((event) => JSON.stringify(event.data))),
        new Date(this.clock()),
      ],
    });
    const before = BigInt(rows[0]!.head) - BigInt(events.length);
    return ends.map((end) => before + BigInt(end));
  }
}

function streamsOf(write: Write): string[] {
  return write.claim ? [write.stream, write.claim.stream] : [write.stream];
}

/** Claims come from outside and often collide, so they are looked up before they are written. */
function isClaim(write: Write): boolean {
  return write.expectedVersion === NEW_STREAM || write.claim !== undefined;
}

/** A stream that was not looked up counts as expected: the unique constraint has the last word. */
function conflictOf(write: Write, current: Map<string, number>): VersionConflict | undefined {
  const moved = (stream: string, expected: number) => (current.get(stream) ?? expected) !== expected;
  if (moved(write.stream, write.expectedVersion)) return new VersionConflict(write.stream, write.expectedVersion);
  const { claim } = write;
  if (claim && moved(claim.stream, claim.expectedVersion))
    return new VersionConflict(claim.stream, claim.expectedVersion);
  return undefined;
}

/** A list as `append_events` takes it. */
function lines(items: readonly (string | number)[]): string {
  return items.join('\n');
}

/** SQLSTATE classes 22 and 23: a value that a column cannot hold. */
function refusesOne(error: unknown): boolean {
  return error instanceof WriteRefused || /^2[23]/.test((error as { code?: string }).code ?? '');
}

function lostRace(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === UNIQUE_VIOLATION || code === DEADLOCK || error instanceof LogReplaced;
}
