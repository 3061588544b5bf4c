import { createHash } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import type { Pool } from 'pg';
import type { Logger } from '../../base/platform/logger.js';
import { redisLink } from '../../base/platform/redis-link.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import { withTimeout } from '../../base/platform/with-timeout.js';
import type { Clock } from '../../base/shared/clock.js';
import type { CustomerId } from '../customers/account.js';
import { QUEUE_PREFIX } from '../settlement/settlement.queue.js';
import type { Closer } from './closer.js';
import { accountsWithThreshold, type DueAccount, dueAccounts } from './due-accounts.queries.js';
import { caughtUp } from './used.queries.js';

const QUEUE = 'billing';
/** How often the books are looked through for what is due, in milliseconds. */
const FIND_MS = 1_000;
/** How often what is not billed is compared with thresholds, in milliseconds. */
const THRESHOLD_MS = 30_000;
/** Accounts that are reckoned in one query. */
const CHUNK = 250;
/** Chunks that one process closes at the same time. */
const CONCURRENCY = 2;
/** A killed worker's job goes to another one after this long, and to be found; milliseconds. One that is run twice does no harm. */
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
/** How long a job waits for projections to have what happened before it; milliseconds. */
const CATCH_UP_MS = 2_000;
const REDIS_TIMEOUT_MS = 2_000;
const OPTIONS = { removeOnComplete: true, removeOnFail: true } as const;

interface BillingJob {
  readonly tenant: string;
  readonly customers: readonly CustomerId[];
  /** What is not billed is looked at, and not what is over. */
  readonly threshold?: true;
}

/**
 * Finds what is due in the books, again and again, and makes jobs of it, which all workers share. A job is a hint: what is to be done is
 * reckoned when it runs, so a job that is lost, or comes twice, does no harm.
 */
export class BillingQueue {
  private readonly redis;
  private readonly workerRedis;
  private readonly queue: Queue<BillingJob>;
  private readonly finder: WakeLoop;
  private readonly thresholds: WakeLoop;
  private worker: Worker<BillingJob> | undefined;
  /** Accounts of which nothing could be billed, and what they were due for. */
  private readonly empty = new Map<string, string>();

  constructor(
    private readonly pool: Pool,
    redisUrl: string,
    private readonly closer: Closer,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.redis = redisLink(redisUrl, { enableOfflineQueue: false });
    this.workerRedis = redisLink(redisUrl, { enableOfflineQueue: true });
    this.queue = new Queue(QUEUE, { connection: this.redis.client, prefix: QUEUE_PREFIX });
    this.queue.on(
      'error',
      this.redis.firstOf((error) => log.warn({ err: error.message }, 'billing queue')),
    );
    this.finder = new WakeLoop('billing finder', () => this.find(), FIND_MS, log);
    this.thresholds = new WakeLoop('invoice thresholds', () => this.compare(), THRESHOLD_MS, log);
  }

  start(): void {
    const options = { connection: this.workerRedis.client, prefix: QUEUE_PREFIX, lockDuration: LOCK_MS };
    this.worker = new Worker<BillingJob>(QUEUE, ({ data }) => this.close(data), {
      ...options,
      concurrency: CONCURRENCY,
      stalledInterval: STALLED_MS,
    });
    const { log } = this;
    this.worker.on(
      'error',
      this.workerRedis.firstOf((error) => log.warn({ err: error.message }, 'billing worker')),
    );
    this.worker.on('failed', (_job, error) =>
      log.error({ err: error.message }, 'an invoice was not closed; tried again'),
    );
    this.finder.start();
    this.thresholds.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.finder.stop(), this.thresholds.stop()]);
    await withTimeout(Promise.all([this.worker?.close(), this.queue.close()]), REDIS_TIMEOUT_MS, 'Redis is away').catch(
      () => undefined,
    );
    this.redis.end();
    this.workerRedis.end();
  }

  private async find(): Promise<boolean> {
    const due = (await dueAccounts(this.pool, this.clock())).filter((one) => this.isNew(one));
    await this.add(chunksOf(due));
    return false;
  }

  private async compare(): Promise<boolean> {
    const chunks = chunksOf(await accountsWithThreshold(this.pool));
    await this.add(chunks.map((chunk) => ({ ...chunk, threshold: true })));
    return false;
  }

  private async add(all: readonly BillingJob[]): Promise<void> {
    const jobs = all.map((data) => ({ name: 'close', data, opts: { ...OPTIONS, jobId: idOf(data) } }));
    if (jobs.length > 0) await withTimeout(this.queue.addBulk(jobs), REDIS_TIMEOUT_MS, 'Redis did not answer in time');
  }

  private async close({ customers, tenant, threshold }: BillingJob): Promise<void> {
    if (threshold) return this.closer.closeThreshold(tenant, customers);
    // While projections are behind, what comes to nothing may come to something when they are not.
    const complete = await caughtUp(this.pool, CATCH_UP_MS);
    const before = new Map(
      (await dueAccounts(this.pool, this.clock(), { tenant, customers })).map((one) => [one.customer, one]),
    );
    const nothing = await this.closer.close(tenant, customers);
    for (const customer of complete ? nothing : []) {
      this.empty.set(`${tenant}/${customer}`, stateOf(before.get(customer as CustomerId), this.clock()));
    }
  }

  private isNew(one: DueAccount): boolean {
    return this.empty.get(`${one.tenant}/${one.customer}`) !== stateOf(one, this.clock());
  }
}

/** What an account is due for, and the hour: what came to nothing is looked at again an hour later. */
function stateOf(one: DueAccount | undefined, now: number): string {
  const hour = Math.floor((now + (one?.offset ?? 0)) / 3_600_000);
  return [one?.sequence, one?.draft?.periodTo, one?.after?.to, hour].join(' ');
}

function chunksOf(due: readonly Pick<DueAccount, 'customer' | 'tenant'>[]): BillingJob[] {
  const chunks: { tenant: string; customers: CustomerId[] }[] = [];
  for (const { customer, tenant } of due) {
    const last = chunks.at(-1);
    if (last?.tenant === tenant && last.customers.length < CHUNK) last.customers.push(customer);
    else chunks.push({ tenant, customers: [customer] });
  }
  return chunks;
}

/** Two finders make one job of the same accounts. */
function idOf({ customers, tenant, threshold }: BillingJob): string {
  return createHash('sha256')
    .update(`${threshold ?? false} ${tenant} ${customers.join(' ')}`)
    .digest('hex');
}
