import { type Job, type JobsOptions, Queue } from 'bullmq';
import type { Logger } from '../../base/platform/logger.js';
import { type RedisLink, redisLink } from '../../base/platform/redis-link.js';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { PaymentId, SettlementMode } from '../payments/payment.js';

export const SETTLEMENT_QUEUE = 'settlement';
/** The hash tag keeps all keys of a queue on one node of a Redis Cluster. */
export const QUEUE_PREFIX = '{tollbook}';

/** With that many jobs only urgent ones are added: Redis must not hold a backlog that the log holds anyway. */
const JOBS_MAX = 10_000;
/** Longest wait for Redis, in milliseconds; the feed holds its checkpoint meanwhile. */
const REDIS_TIMEOUT_MS = 2_000;
/** After that many attempts the job goes; the sweep brings the payment back if it is still open. */
const ATTEMPTS_MAX = 20;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 30_000;

/** The job is a hint, its id the payment's; what is to be done is read from the log. */
export interface SettlementJob {
  /** True if the payment was found lying about: something may have been done for it already. */
  readonly again: boolean;
}

export interface OpenSettlement {
  readonly id: PaymentId;
  readonly mode: SettlementMode;
}

/** The queue as its producers see it: adds fail soon if Redis is away, and adding twice is harmless. */
export class SettlementQueue {
  private readonly redis: RedisLink;
  private readonly queue: Queue<SettlementJob>;

  constructor(redisUrl: string, log: Logger) {
    this.redis = redisLink(redisUrl, { enableOfflineQueue: false });
    this.queue = new Queue(SETTLEMENT_QUEUE, { connection: this.redis.client, prefix: QUEUE_PREFIX });
    this.queue.on(
      'error',
      this.redis.firstOf((error) => log.warn({ err: error.message }, 'settlement queue')),
    );
  }

  /** Jobs that are there already stay as they are. Rejects if Redis does not answer in time. */
  async add(payments: readonly OpenSettlement[], again: boolean): Promise<void> {
    const jobs = payments.map(({ id, mode }) => ({ name: 'settle', data: { again }, opts: optionsFor(id, mode) }));
    await withinTime(this.queue.addBulk(jobs));
  }

  /** Number of jobs that are waiting, delayed or being worked on. */
  async living(): Promise<number> {
    return sum(await this.counts());
  }

  /**
   * Is there room for a payment that is new? Delayed jobs do not count: a buyer who emptied a wallet leaves thousands
   * of them, tried again and again until they expire, and nobody else's payment may wait for that.
   */
  async hasRoom(): Promise<boolean> {
    const { delayed, ...ready } = await this.counts();
    return sum(ready) < JOBS_MAX;
  }

  /** Is there room for a payment that was tried before? Those may not fill Redis. */
  async hasRoomForOld(): Promise<boolean> {
    return (await this.living()) < JOBS_MAX;
  }

  private counts(): Promise<Record<string, number>> {
    return withinTime(this.queue.getJobCounts('wait', 'prioritized', 'delayed', 'active'));
  }

  async close(): Promise<void> {
    await withinTime(this.queue.close()).catch(() => undefined);
    this.redis.end();
  }
}

/** Milliseconds until the next attempt: doubles up to half a minute, and spreads. */
export function retryDelay(attemptsMade: number, random: number = Math.random()): number {
  const full = Math.min(RETRY_FIRST_MS * 2 ** (attemptsMade - 1), RETRY_MAX_MS);
  return Math.round(full * (0.75 + random / 4));
}

/** True unless this is certainly the first time that anybody works on the payment. */
export function isAgain(job: Pick<Job<SettlementJob>, 'data' | 'attemptsStarted'>): boolean {
  return job.data.again || job.attemptsStarted > 1;
}

function optionsFor(id: PaymentId, mode: SettlementMode): JobsOptions {
  return {
    jobId: id,
    // Somebody waits for the answer of `after`; jobs without a priority come before those with one.
    priority: mode === 'after' ? 0 : 1,
    attempts: ATTEMPTS_MAX,
    backoff: { type: 'custom' },
    // A job that is kept would stop its payment from being queued again.
    removeOnComplete: true,
    removeOnFail: true,
  };
}

function withinTime<T>(work: Promise<T>): Promise<T> {
  return withTimeout(work, REDIS_TIMEOUT_MS, 'Redis did not answer in time');
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
