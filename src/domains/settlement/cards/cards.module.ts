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
import { EventStore } from '../../../base/event-store/event-store.js';
import type { Logger } from '../../../base/platform/logger.js';
import { CLOCK, LOGGER, POOL } from '../../../base/platform/tokens.js';
import type { Clock } from '../../../base/shared/clock.js';
import { CardQueue } from './card.queue.js';
import { CardAccounts } from './card-accounts.js';
import { CardDesk } from './card-desk.js';
import { CardVault } from './card-vault.js';
import { cardHandlers } from './cards.handlers.js';
import { StripeProcessors } from './stripe.js';

/** Ends requests under way with the application. */
@Injectable()
class Processors extends StripeProcessors implements OnApplicationShutdown {
  async onApplicationShutdown(): Promise<void> {
    await this.stop();
  }
}

/** Commands of cards, and who asks the processors. Needs the store, the pool and the command bus from a global module. */
@Module({})
export class CardsModule {
  /** @param key of what processors are shown */
  static of(key: Buffer): DynamicModule {
    const vault = new CardVault(key);
    return {
      module: CardsModule,
      providers: [
        ...cardHandlers(vault),
        { provide: Processors, useFactory: () => new Processors() },
        {
          provide: CardAccounts,
          useFactory: (pool: Pool, processors: Processors) => new CardAccounts(pool, vault, processors),
          inject: [POOL, Processors],
        },
        {
          provide: CardDesk,
          useFactory: (store: EventStore, accounts: CardAccounts, bus: CommandBus) =>
            new CardDesk({ store, accounts, execute: (command) => bus.execute(command) }),
          inject: [EventStore, CardAccounts, CommandBus],
        },
      ],
      exports: [CardAccounts, CardDesk],
    };
  }
}

const REDIS_URL = Symbol('CardsRedisUrl');

@Injectable()
class CardRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly queue: CardQueue;

  constructor(
    @Inject(POOL) pool: Pool,
    @Inject(REDIS_URL) redisUrl: string,
    @Inject(CardDesk) desk: CardDesk,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    this.queue = new CardQueue(pool, redisUrl, desk, clock, log);
  }

  onApplicationBootstrap(): void {
    this.queue.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.stop();
  }
}

/** The workers that carry charges on. */
@Module({})
export class CardWorkModule {
  static of(key: Buffer, redisUrl: string): DynamicModule {
    const providers = [CardRunner, { provide: REDIS_URL, useValue: redisUrl }];
    return { module: CardWorkModule, imports: [CardsModule.of(key)], providers };
  }
}
