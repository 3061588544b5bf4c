import { Queue, Worker } from 'bullmq';
import type { Pool } from 'pg';
import type { Logger } from '../../../base/platform/logger.js';
import { redisLink } from '../../../base/platform/redis-link.js';
import { WakeLoop } from '../../../base/platform/wake-loop.js';
import { withTimeout } from '../../../base/platform/with-timeout.js';
import type { Clock } from '../../../base/shared/clock.js';
import { QUEUE_PREFIX } from '../settlement.queue.js';
import { type OpenCharge, openCharges } from './card-charges.queries.js';
import type { CardDesk } from './card-desk.js';

const QUEUE = 'cards';
/** How often the books are looked through for what is open, in milliseconds. */
const FIND_MS = 1_000;
/** Charges that one process has at processors at the same time. */
const CONCURRENCY = 8;
/** A killed worker's job goes to another one after this long, a running one renews its lock; milliseconds. */
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
const REDIS_TIMEOUT_MS = 2_000;
/** What is still open is asked again after this long, then after twice as long each time, up to the most; milliseconds. */
const AGAIN_MS = 1_000;
const AGAIN_MOST_MS = 300_000;
/** The sweep brings back what is given up. */
const ATTEMPTS = 1_000;

/** Asked again later. */
class StillOpen extends Error {}

/**
 * Finds what is open in the books, again and again, and makes jobs of it, which all workers share. A job is a hint: what is to be done
 * is decided by the charge's stream when it runs, so a job that is lost, or comes twice, does no harm.
 */
export class CardQueue {
  private readonly redis;
  private readonly workerRedis;
  private readonly queue: Queue<OpenCharge>;
  private readonly finder: WakeLoop;
  private worker: Worker<OpenCharge> | undefined;

  constructor(
    private readonly pool: Pool,
    redisUrl: string,
    private readonly desk: Pick<CardDesk, 'carry'>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.redis = redisLink(redisUrl, { enableOfflineQueue: false });
    this.workerRedis = redisLink(redisUrl, { enableOfflineQueue: true });
    this.queue = new Queue(QUEUE, { connection: this.redis.client, prefix: QUEUE_PREFIX });
    const warn = (error: Error) => log.warn({ err: error.message }, 'cards queue');
    this.queue.on('error', this.redis.firstOf(warn));
    this.finder = new WakeLoop('cards finder', () => this.find(), FIND_MS, log);
  }

  start(): void {
    this.worker = new Worker<OpenCharge>(QUEUE, ({ data }) => this.carry(data), {
      ...{ connection: this.workerRedis.client, prefix: QUEUE_PREFIX, concurrency: CONCURRENCY },
      ...{ lockDuration: LOCK_MS, stalledInterval: STALLED_MS },
      settings: { backoffStrategy: (made: number) => Math.min(AGAIN_MS * 2 ** Math.min(made - 1, 20), AGAIN_MOST_MS) },
    });
    const warn = (error: Error) => this.log.warn({ err: error.message }, 'cards worker');
    this.worker.on('error', this.workerRedis.firstOf(warn));
    this.worker.on('failed', (job, error) => {
      if (error instanceof StillOpen) return;
      this.log.error({ charge: job?.data.id, err: error.message }, 'a card charge was not carried on; tried again');
    });
    this.finder.start();
  }

  async stop(): Promise<void> {
    await this.finder.stop();
    const closed = Promise.all([this.worker?.close(), this.queue.close()]);
    await withTimeout(closed, REDIS_TIMEOUT_MS, 'Redis is away').catch(() => undefined);
    this.redis.end();
    this.workerRedis.end();
  }

  private async find(): Promise<boolean> {
    const open = await openCharges(this.pool, this.clock());
    const jobs = open.map((data) => ({
      name: 'carry',
      data,
      opts: {
        ...{ jobId: `${data.id}-${data.kind}`, removeOnComplete: true, removeOnFail: true },
        ...{ attempts: ATTEMPTS, backoff: { type: 'custom' } },
      },
    }));
    if (jobs.length > 0) await withTimeout(this.queue.addBulk(jobs), REDIS_TIMEOUT_MS, 'Redis did not answer in time');
    return false;
  }

  private async carry({ id, tenant }: OpenCharge): Promise<void> {
    const looked = await this.desk.carry(tenant, id);
    if (looked === 'open' || looked === 'unknown') throw new StillOpen(looked);
  }
}
