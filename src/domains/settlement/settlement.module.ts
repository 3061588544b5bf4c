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
import type { SettlementChain } from '../../base/chain/chain.js';
import type { Upcast } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { LogTail } from '../../base/event-store/log-tail.js';
import type { Logger } from '../../base/platform/logger.js';
import { remembered } from '../../base/platform/remembered.js';
import { CLOCK, LOGGER, POOL } from '../../base/platform/tokens.js';
import type { Clock } from '../../base/shared/clock.js';
import { type Screening, verdictOn } from '../customers/screening.port.js';
import { DelegateSettlement, decideDelegate } from '../payments/delegate.decide.js';
import { handlerFor, loadPayment } from '../payments/handler-for.js';
import {
  ConfirmSettlement,
  decideConfirm,
  decideFail,
  decideHold,
  decideRevert,
  decideSubmit,
  FailSettlement,
  HoldSettlement,
  RevertSettlement,
  SubmitSettlement,
} from '../payments/settle.decide.js';
import type { GasPrices } from './batch-plan.js';
import type { ConfirmationTier } from './confirmations.js';
import { GasWatch } from './gas-watch.js';
import { itemReader, NetworkFees } from './network-fees.js';
import { signatureReader, type Tokens } from './settlement.ports.js';
import { SettlementWorker } from './settlement.worker.js';
import { PostgresTransactionBook } from './settlement-transactions.js';
import { SettlerLanes } from './settler-lanes.js';

/** How long a price of gas counts as the present one, in milliseconds. */
const PRICES_MS = 2_000;

const OPTIONS = Symbol('SettlementOptions');

export interface SettlementOptions {
  readonly redisUrl: string;
  readonly chain: SettlementChain;
  readonly tokens: Tokens;
  readonly upcast: Upcast;
  readonly screening: Screening;
  /** Blocks that a settlement needs, by its amount; one if nothing is said. */
  readonly confirmations?: readonly ConfirmationTier[];
}

/** Starts the worker with the application and stops it within ten seconds. */
@Injectable()
class SettlementRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly worker: SettlementWorker;
  private readonly screening: Screening;

  constructor(
    @Inject(OPTIONS) options: SettlementOptions,
    @Inject(POOL) pool: Pool,
    @Inject(LOGGER) log: Logger,
    @Inject(CLOCK) clock: Clock,
    @Inject(EventStore) store: EventStore,
    @Inject(LogTail) tail: LogTail,
    @Inject(CommandBus) bus: CommandBus,
  ) {
    this.screening = options.screening;
    const book = new PostgresTransactionBook(pool, options.chain.network);
    this.worker = new SettlementWorker({
      redisUrl: options.redisUrl,
      chain: options.chain,
      tokens: options.tokens,
      upcast: options.upcast,
      confirmations: options.confirmations,
      pool,
      log,
      clock,
      tail,
      book,
      lanes: new SettlerLanes(book, new GasWatch(options.chain, clock, log)),
      prices: gasPricesOf(options.chain, clock),
      fees: new NetworkFees({ store, network: options.chain.network, items: itemReader(pool) }),
      execute: (command) => bus.execute(command),
      load: (id) => loadPayment(store, id),
      signatures: signatureReader(pool),
      screen: (payer) => verdictOn(options.screening, payer),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.screening.start();
    this.worker.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.worker.stop();
    await this.screening.stop();
  }
}

/** Without an answer the price is taken for the usual one: it decides about waiting only. */
function gasPricesOf(chain: SettlementChain, clock: Clock): () => Promise<GasPrices> {
  const read = () => chain.gasPrices().catch(() => ({ now: 1n, usual: 1n }));
  return remembered(read, PRICES_MS, clock);
}

/** Needs the runtime's parts (pool, log, clock, event store, log tail) and the command bus from a global module. */
@Module({})
export class SettlementModule {
  static of(options: SettlementOptions): DynamicModule {
    return {
      module: SettlementModule,
      providers: [
        { provide: OPTIONS, useValue: options },
        handlerFor(HoldSettlement, decideHold),
        handlerFor(SubmitSettlement, decideSubmit),
        handlerFor(DelegateSettlement, decideDelegate),
        handlerFor(ConfirmSettlement, decideConfirm),
        handlerFor(FailSettlement, decideFail),
        handlerFor(RevertSettlement, decideRevert),
        SettlementRunner,
      ],
    };
  }
}
