import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../../platform/logger.js';
import { WakeLoop } from '../../platform/wake-loop.js';
import type { Clock } from '../../shared/clock.js';
import type { JsonObject } from '../../shared/json.js';
import type { EventWriter } from '../unit-of-work.js';
import { adoptFromWitness } from './adopt.js';
import { merkleRoot } from './merkle.js';
import { type EventRange, rangesOf } from './ranges.js';
import { nextSeal, readSeal, type SealSigner } from './seal.js';
import { SealHistory } from './seal-history.js';
import { pagesOfSealRows } from './seal-rows.js';
import { insertSeal, lastSealedPosition, readSeals } from './seal-table.js';
import type { Witness } from './witness.js';

/** How long an event waits for its seal, in milliseconds, as long as the sealer keeps up. */
const INTERVAL_MS = 3_000;
/** Most events under one seal: a proof, which anybody may ask for, hashes them all. */
const SEAL_MAX = 1_024;
/** After so many seals a transaction ends. */
const SEALS_MAX = 64;
/** Events in one read. */
const PAGE = 4 * SEAL_MAX;
const WITNESS_PAGE = 1_000;
/** One sealer works at a time; the numbers name the advisory lock. */
const LOCK = [8402, 7];

export interface SealerParts {
  readonly pool: Pool;
  readonly store: EventWriter;
  readonly signer: SealSigner;
  readonly witness: Witness;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Seals the log behind its head. Any number of processes may seal the same log: a lock lets one work at a time, and the
 * primary key of the seals has the last word. A kill at any moment leaves whole seals, and a witness that lacks the newest
 * ones at most; the next run completes it, before it seals anything.
 */
export class Sealer {
  private readonly loop: WakeLoop;
  private readonly history = new SealHistory();

  constructor(private readonly parts: SealerParts) {
    this.loop = new WakeLoop('sealer', () => this.step(), INTERVAL_MS, parts.log);
  }

  start(): void {
    this.loop.start();
  }

  /** Seals what is left, so that a log that was stopped in order is sealed to its end. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.step().catch((error: Error) => this.parts.log.warn({ err: error.message }, 'the rest was not sealed'));
  }

  /** Seals what there is, up to a limit; `true` if there may be more. Does nothing if another process is at it. */
  async step(): Promise<boolean> {
    const sealed = await this.locked(async (client) => {
      await this.agreeWithWitness(client);
      return this.seal(client);
    });
    // Only what is committed is told, so the newest seals go to the witness in a second turn.
    if (sealed) await this.locked((client) => this.agreeWithWitness(client));
    return sealed === SEALS_MAX;
  }

  /** `undefined` if another process has the lock. */
  private async locked<T>(work: (client: PoolClient) => Promise<T>): Promise<T | undefined> {
    const client = await this.parts.pool.connect();
    let failed = true;
    try {
      await client.query('begin isolation level read committed');
      const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_xact_lock($1, $2) as free', LOCK);
      const result = rows[0]!.free ? await work(client) : undefined;
      await client.query('commit');
      failed = false;
      return result;
    } finally {
      // A connection with a failed transaction is not worth mending: it ends as a rollback.
      client.release(failed);
    }
  }

  /**
   * Brings table and witness to the same seals: who is behind gets what it lacks.
   *
   * @throws if they say different things; then nothing is sealed, because nobody knows behind what
   */
  private async agreeWithWitness(client: PoolClient): Promise<void> {
    const { log, witness } = this.parts;
    await this.history.catchUp(client);
    const witnessed = await witness.last();
    const number = witnessed?.payload.number ?? 0;
    if (number > (this.history.last?.payload.number ?? 0)) {
      const count = await adoptFromWitness(client, this.parts, this.history);
      log.warn({ seals: count }, 'the database is older than the witness of its seals: run verify');
      return;
    }
    const [same] = witnessed === undefined ? [] : await readSeals(client, number, 1);
    if (same?.jws !== witnessed?.jws) throw new Error(`seal ${number} is not what ${witness.path} says: run verify`);
    await this.completeWitness(client, number);
  }

  private async completeWitness(client: PoolClient, number: number): Promise<void> {
    for (let next = number + 1; ; next += WITNESS_PAGE) {
      const page = await readSeals(client, next, WITNESS_PAGE);
      await this.parts.witness.append(page.map(({ jws }) => readSeal(jws)!));
      if (page.length < WITNESS_PAGE) return;
    }
  }

  /** Returns how many seals it made. */
  private async seal(client: PoolClient): Promise<number> {
    let sealedTo = await lastSealedPosition(client);
    let count = 0;
    for await (const page of pagesOfSealRows(client, sealedTo, PAGE)) {
      for (const range of rangesOf(page, SEAL_MAX)) {
        if (range.from !== sealedTo + 1n) this.warnOfGap(sealedTo, range);
        await this.sealRange(client, range);
        sealedTo = range.to;
        count++;
      }
      if (count >= SEALS_MAX) return SEALS_MAX;
    }
    return count;
  }

  private async sealRange(client: PoolClient, { from, leaves, to }: EventRange): Promise<void> {
    const { clock, signer } = this.parts;
    const range = { from, to, root: merkleRoot(leaves) };
    const payload = nextSeal(this.history.last, this.history.root, range, new Date(clock()));
    const seal = readSeal(signer.sign(payload as unknown as JsonObject));
    if (seal === undefined) throw new Error('the signer did not sign a seal');
    this.history.add(seal);
    await insertSeal(client, seal, leaves);
  }

  /** Positions are dense when they are written, so somebody has removed events. Sealing goes on: the chain shows the gap. */
  private warnOfGap(sealedTo: bigint, { from }: EventRange): void {
    const gap = { from: (sealedTo + 1n).toString(), to: (from - 1n).toString() };
    this.parts.log.error(gap, 'events are missing before they were sealed: run verify');
  }
}
