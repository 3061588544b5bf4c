import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import type { Upcast } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { LogTail } from '../../base/event-store/log-tail.js';
import { ProjectionRunner } from '../../base/event-store/projection-runner.js';
import type { Logger } from '../../base/platform/logger.js';
import { openBatchPoolBeside } from '../../base/platform/pool.js';
import { CLOCK, LOGGER, POOL } from '../../base/platform/tokens.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Clock } from '../../base/shared/clock.js';
import { followInvoicesHandler } from '../customers/account.handlers.js';
import { BillingQueue } from './billing.queue.js';
import { cardCollectionFeed } from './card-collection.feed.js';
import { CardCollection } from './card-collection.js';
import { Closer } from './closer.js';
import { Dunning } from './dunning.js';
import { invoiceHandlers } from './invoice.handlers.js';
import { prepaidHandlers } from './prepaid.handlers.js';
import { PrepaidWorker, type ReadPrepaid } from './prepaid.worker.js';
import { settingsHandlers } from './settings.handlers.js';

/** How often invoices that are not paid are looked through, in milliseconds. */
const DUNNING_MS = 2_000;
/** How often prepaid balances and open invoices are looked through, in milliseconds. */
const PREPAID_MS = 500;
/** How often invoices are looked through for what cards are to pay, in milliseconds. */
const CARDS_MS = 2_000;
const REDIS_URL = Symbol('BillingRedisUrl');
const UPCAST = Symbol('BillingUpcast');
const READ_PREPAID = Symbol('ReadPrepaid');

/** The books are a floor above: they are handed in. */
type ReadPrepaidFrom = (pool: Pick<Pool, 'query'>, ...args: Parameters<ReadPrepaid>) => ReturnType<ReadPrepaid>;

const closer = {
  provide: Closer,
  useFactory: (pool: Pool, store: EventStore, clock: Clock, bus: CommandBus) =>
    new Closer(pool, store, clock, (command) => bus.execute(command)),
  inject: [POOL, EventStore, CLOCK, CommandBus],
};

/** Commands and reckoning of invoices. Needs the event store and the command bus from a global module. */
@Module({ providers: [...invoiceHandlers, ...settingsHandlers, closer], exports: [Closer] })
export class InvoicingModule {}

@Injectable()
class BillingRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly queue: BillingQueue;
  /** Without a time limit: what a large tenant used takes its time. */
  private readonly reckoning: Pool;
  private readonly loops: readonly WakeLoop[];
  private readonly cards: ProjectionRunner;

  constructor(
    @Inject(POOL) pool: Pool,
    @Inject(REDIS_URL) redisUrl: string,
    @Inject(READ_PREPAID) readPrepaid: ReadPrepaidFrom,
    @Inject(EventStore) store: EventStore,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
    @Inject(CommandBus) bus: CommandBus,
    @Inject(LogTail) tail: LogTail,
    @Inject(UPCAST) upcast: Upcast,
  ) {
    this.reckoning = openBatchPoolBeside(pool, 'tollbook-billing', log);
    const closer = new Closer(this.reckoning, store, clock, (command) => bus.execute(command));
    this.queue = new BillingQueue(pool, redisUrl, closer, clock, log);
    const rulesOf = (tenant: string) => closer.rulesOf(tenant);
    const dunning = new Dunning(pool, clock, rulesOf, (command) => bus.execute(command));
    const collection = new CardCollection(pool, store, (command) => bus.execute(command));
    const prepaid = new PrepaidWorker(
      (after, limit) => readPrepaid(pool, after, limit),
      (command) => bus.execute(command),
    );
    this.loops = [
      new WakeLoop('dunning', () => dunning.step(), DUNNING_MS, log),
      new WakeLoop('invoices to be paid by card', () => collection.step(), CARDS_MS, log),
      new WakeLoop('prepaid balances', () => prepaid.step(), PREPAID_MS, log),
    ];
    const feed = cardCollectionFeed(store, (command) => bus.execute(command));
    this.cards = new ProjectionRunner(pool, tail, feed, log, upcast);
  }

  onApplicationBootstrap(): void {
    this.queue.start();
    for (const one of [...this.loops, this.cards]) one.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.loops, this.cards].map((one) => one.stop()));
    await this.queue.stop();
    await this.reckoning.end();
  }
}

/** The workers that close periods. */
@Module({})
export class BillingModule {
  /** @param readPrepaid what the books have of the balances */
  static of(redisUrl: string, readPrepaid: ReadPrepaidFrom, upcast: Upcast): DynamicModule {
    const providers = [
      ...[BillingRunner, followInvoicesHandler, ...prepaidHandlers],
      { provide: REDIS_URL, useValue: redisUrl },
      { provide: READ_PREPAID, useValue: readPrepaid },
      { provide: UPCAST, useValue: upcast },
    ];
    return { module: BillingModule, imports: [InvoicingModule], providers };
  }
}
