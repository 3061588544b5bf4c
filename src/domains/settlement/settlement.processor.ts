import { DelayedError, type Job, Worker } from 'bullmq';
import { ChainUnavailable } from '../../base/chain/chain.js';
import type { Logger } from '../../base/platform/logger.js';
import { type RedisLink, redisLink } from '../../base/platform/redis-link.js';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { Clock } from '../../base/shared/clock.js';
import type { Network } from '../../base/shared/hex.js';
import type { PaymentId } from '../payments/payment.js';
import { AwaitsBlocks } from './confirmation-watch.js';
import type { SettlementEngine } from './settlement.engine.js';
import { SettlementPending } from './settlement.ports.js';
import { isAgain, priorityOf, QUEUE_PREFIX, queueNameOf, retryDelay, type SettlementJob } from './settlement.queue.js';

/** Payments waiting for a block at the same time: 200 a second for five seconds. */
const CONCURRENCY = 1_000;
/** A killed worker's jobs go to another one after this long, plus the check's interval; milliseconds. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** A job that outlives its workers is brought back by the sweep anyhow, so it may stall a few times. */
const STALLED_MAX = 3;
/** Time to finish what is in hand when asked to stop, and then to say so to Redis; milliseconds. */
const FINISH_MS = 5_000;
const PING_MS = 500;
const CLOSE_MS = 3_000;

/** Runs the engine of one chain on its jobs. Jobs may come twice or at two workers at once: the engine decides, not the queue. */
export class SettlementProcessor {
  private readonly redis: RedisLink;
  private readonly worker: Worker<SettlementJob>;

  constructor(
    redisUrl: string,
    network: Network,
    private readonly engine: Pick<SettlementEngine, 'settle' | 'stop'>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.redis = redisLink(redisUrl, { enableOfflineQueue: true });
    this.worker = new Worker<SettlementJob>(queueNameOf(network), (job, token) => this.attempt(job, token), {
      connection: this.redis.client,
      prefix: QUEUE_PREFIX,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: STALLED_MAX,
      autorun: false,
      settings: { backoffStrategy: (attemptsMade) => retryDelay(attemptsMade) },
    });
    this.worker.on(
      'error',
      this.redis.firstOf((error) => log.warn({ err: error.message }, 'settlement worker')),
    );
    this.worker.on('failed', (job, error) => this.report(job?.id, error));
  }

  start(): void {
    this.worker.run().catch((error: Error) => this.log.error({ err: error.message }, 'settlement worker ended'));
  }

  /** Takes no more jobs; what cannot be finished within ten seconds is left to the next start. */
  async stop(): Promise<void> {
    // Without Redis nothing can be said to it, and waiting for that would leave timers behind.
    const closed = this.worker.close(!(await this.redisAnswers()));
    await within(closed, FINISH_MS);
    await within(Promise.all([closed, this.engine.stop()]), CLOSE_MS);
    this.redis.end();
  }

  private async attempt(job: Job<SettlementJob>, token?: string): Promise<void> {
    try {
      await this.engine.settle(job.id as PaymentId, isAgain(job));
    } catch (error) {
      if (error instanceof AwaitsBlocks) {
        // No failure, so neither an attempt is counted nor its pause made; and the job's place is free for others.
        await job.moveToDelayed(Date.now() + error.waitMs, token);
        throw new DelayedError();
      }
      // Without it the job comes back with its old place in the queue, which is no reason to lose the attempt's error.
      await job.changePriority({ priority: priorityOf(job.data, this.clock()) }).catch(() => undefined);
      throw error;
    }
  }

  private async redisAnswers(): Promise<boolean> {
    const ping = this.redis.client.ping().then(
      () => true,
      () => false,
    );
    return (await within(ping, PING_MS)) ?? false;
  }

  private report(payment: string | undefined, error: Error): void {
    const expected = error instanceof SettlementPending || error instanceof ChainUnavailable;
    const fields = { payment, err: error.message };
    if (expected) this.log.debug(fields, 'settlement is pending');
    else this.log.error(fields, 'settlement attempt failed');
  }
}

/** What the work resolves to, or `undefined` if it fails or takes too long. */
function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  return withTimeout(work, ms, 'not done in time').catch(() => undefined);
}
