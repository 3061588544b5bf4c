import { type Job, type JobsOptions, Queue } from 'bullmq';
import type { Logger } from '../../base/platform/logger.js';
import { type RedisLink, redisLink } from '../../base/platform/redis-link.js';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Network } from '../../base/shared/hex.js';
import type { OpenSettlement } from './open-settlement.js';
import { mayWait, priorityAt } from './settlement.priority.js';

/** Before there were several chains: one queue for all. Payments whose jobs are left there are found again by the sweep. */
const EARLIER_QUEUE = 'settlement';
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
  /** Seconds for which others may go first, whenever it is queued; jobs of an earlier version have none. */
  readonly mayWait?: number;
}

/** Each chain has a queue of its own, so that jobs which wait for one that is away keep nobody else's place. */
export function queueNameOf(network: Network): string {
  return `settlement-${network.replace(':', '-')}`;
}

/** The queue of a chain as its producers see it: adds fail soon if Redis is away, and adding twice is harmless. */
export class SettlementQueue {
  private readonly redis: RedisLink;
  private readonly queue: Queue<SettlementJob>;

  constructor(
    redisUrl: string,
    network: Network,
    private readonly clock: Clock,
    log: Logger,
  ) {
    this.redis = redisLink(redisUrl, { enableOfflineQueue: false });
    this.queue = new Queue(queueNameOf(network), { connection: this.redis.client, prefix: QUEUE_PREFIX });
    this.queue.on(
      'error',
      this.redis.firstOf((error) => log.warn({ err: error.message }, 'settlement queue')),
    );
  }

  /** Jobs that are there already stay as they are. Rejects if Redis does not answer in time. */
  async add(payments: readonly OpenSettlement[], again: boolean): Promise<void> {
    const now = this.clock();
    const jobs = payments.map((payment) => jobFor(payment, again, now));
    await withinTime(this.queue.addBulk(jobs));
  }

  /** As above, for payments that were tried before; those that wait to be tried again are tried now. */
  async hurry(payments: readonly OpenSettlement[]): Promise<void> {
    await this.add(payments, true);
    const jobs = await withinTime(Promise.all(payments.map(({ id }) => this.queue.getJob(id))));
    // One that does not wait any more need not be told.
    await withinTime(Promise.allSettled(jobs.map((job) => job?.promote())));
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

/** Removes what an earlier version left in Redis. Rejects if Redis does not answer in time. */
export async function removeEarlierQueue(redisUrl: string): Promise<void> {
  const redis = redisLink(redisUrl, { enableOfflineQueue: true });
  const queue = new Queue(EARLIER_QUEUE, { connection: redis.client, prefix: QUEUE_PREFIX });
  queue.on('error', () => undefined); // reported by the call that fails
  try {
    await withinTime(queue.obliterate({ force: true }));
  } finally {
    await withinTime(queue.close()).catch(() => undefined);
    redis.end();
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

/**
 * Pure. When a job that is queued now, for the first time or to be tried again, is due. An attempt that failed queues
 * behind: of a wallet that is empty there may be thousands, and they are old.
 */
export function priorityOf(data: SettlementJob, now: number): number {
  return priorityAt(now, data.mayWait ?? mayWait('async'));
}

function jobFor({ id, mode, urgency }: OpenSettlement, again: boolean, now: number) {
  const data: SettlementJob = { again, mayWait: mayWait(mode, urgency) };
  return { name: 'settle', data, opts: { ...options, jobId: id, priority: priorityOf(data, now) } };
}

const options: JobsOptions = {
  attempts: ATTEMPTS_MAX,
  backoff: { type: 'custom' },
  // A job that is kept would stop its payment from being queued again.
  removeOnComplete: true,
  removeOnFail: true,
};

function withinTime<T>(work: Promise<T>): Promise<T> {
  return withTimeout(work, REDIS_TIMEOUT_MS, 'Redis did not answer in time');
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
