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
import { EventStore } from '../../base/event-store/event-store.js';
import type { Logger } from '../../base/platform/logger.js';
import { openBatchPoolBeside } from '../../base/platform/pool.js';
import { CLOCK, LOGGER, POOL } from '../../base/platform/tokens.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
import type { Clock } from '../../base/shared/clock.js';
import { followInvoicesHandler } from '../customers/account.handlers.js';
import { BillingQueue } from './billing.queue.js';
import { Closer } from './closer.js';
import { Dunning } from './dunning.js';
import { invoiceHandlers } from './invoice.handlers.js';
import { settingsHandlers } from './settings.handlers.js';

/** How often invoices that are not paid are looked through, in milliseconds. */
const DUNNING_MS = 2_000;
const REDIS_URL = Symbol('BillingRedisUrl');

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
  private readonly dunning: WakeLoop;

  constructor(
    @Inject(POOL) pool: Pool,
    @Inject(REDIS_URL) redisUrl: string,
    @Inject(EventStore) store: EventStore,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
    @Inject(CommandBus) bus: CommandBus,
  ) {
    this.reckoning = openBatchPoolBeside(pool, 'tollbook-billing', log);
    const closer = new Closer(this.reckoning, store, clock, (command) => bus.execute(command));
    this.queue = new BillingQueue(pool, redisUrl, closer, clock, log);
    const rulesOf = (tenant: string) => closer.rulesOf(tenant);
    const dunning = new Dunning(pool, clock, rulesOf, (command) => bus.execute(command));
    this.dunning = new WakeLoop('dunning', () => dunning.step(), DUNNING_MS, log);
  }

  onApplicationBootstrap(): void {
    this.queue.start();
    this.dunning.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dunning.stop();
    await this.queue.stop();
    await this.reckoning.end();
  }
}

/** The workers that close periods. */
@Module({})
export class BillingModule {
  static of(redisUrl: string): DynamicModule {
    const providers = [BillingRunner, followInvoicesHandler, { provide: REDIS_URL, useValue: redisUrl }];
    return { module: BillingModule, imports: [InvoicingModule], providers };
  }
}
