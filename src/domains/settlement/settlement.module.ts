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
import type { ChainClient } from '../../base/chain/chain-client.js';
import type { Upcast } from '../../base/event-store/event.js';
import { EventStore } from '../../base/event-store/event-store.js';
import { LogTail } from '../../base/event-store/log-tail.js';
import { ProjectionRunner } from '../../base/event-store/projection-runner.js';
import type { Logger } from '../../base/platform/logger.js';
import { remembered } from '../../base/platform/remembered.js';
import { CLOCK, LOGGER, POOL } from '../../base/platform/tokens.js';
import { WakeLoop } from '../../base/platform/wake-loop.js';
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
import { type FacilitatorOptions, FacilitatorsAtWork } from './facilitators/facilitators-at-work.js';
import { GasWatch } from './gas-watch.js';
import { itemReader, NetworkFees } from './network-fees.js';
import type { RefundWallets } from './refunds/refund-wallets.js';
import { settlementFeed } from './settlement.feed.js';
import { type Execute, signatureReader, type Tokens } from './settlement.ports.js';
import { removeEarlierQueue } from './settlement.queue.js';
import { SettlementWorker } from './settlement.worker.js';
import { PostgresTransactionBook } from './settlement-transactions.js';
import { SettlerLanes } from './settler-lanes.js';

/** How long a price of gas counts as the present one, in milliseconds. */
const PRICES_MS = 2_000;
/** A worker of an earlier version that still runs beside this one may fill its queue again; milliseconds. */
const TIDY_MS = 600_000;

const OPTIONS = Symbol('SettlementOptions');

/** A chain to settle on, with the tokens on it. */
export interface SettledChain {
  readonly chain: SettlementChain;
  /** Of the same chain, for the reconciler. */
  readonly client: ChainClient;
  readonly tokens: Tokens;
  /** Blocks that a settlement needs, by its amount; one if nothing is said. */
  readonly confirmations?: readonly ConfirmationTier[];
  /** How long before its naming the books of a wallet begin, in seconds; an hour if nothing is said. */
  readonly earlierSeconds?: bigint;
}

export interface SettlementOptions {
  readonly redisUrl: string;
  readonly chains: readonly SettledChain[];
  readonly upcast: Upcast;
  readonly screening: Screening;
  readonly wallets: RefundWallets;
  readonly facilitators: FacilitatorOptions;
}

/** Starts the feed, and a worker for each chain, with the application and stops them within ten seconds. */
@Injectable()
class SettlementRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly facilitators: FacilitatorsAtWork;
  private readonly workers: readonly SettlementWorker[];
  private readonly feed: ProjectionRunner;
  private readonly tidying: WakeLoop;

  constructor(
    @Inject(OPTIONS) private readonly options: SettlementOptions,
    @Inject(POOL) private readonly pool: Pool,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(LogTail) tail: LogTail,
    @Inject(CommandBus) private readonly bus: CommandBus,
  ) {
    const { chains, redisUrl, upcast } = options;
    this.facilitators = new FacilitatorsAtWork(pool, redisUrl, options.facilitators, clock, log);
    this.workers = chains.map((one) => this.workerOf(one));
    const queues = new Map(chains.map(({ chain }, n) => [chain.network, this.workers[n]!.queue]));
    this.feed = new ProjectionRunner(pool, tail, settlementFeed(queues, upcast), log, upcast);
    const tidy = () => removeEarlierQueue(redisUrl).then(() => false);
    this.tidying = new WakeLoop('queue of an earlier version', tidy, TIDY_MS, log);
  }

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all([this.options.screening.start(), this.facilitators.start()]);
    for (const part of [...this.workers, this.feed, this.tidying]) part.start();
  }

  async onApplicationShutdown(): Promise<void> {
    // The feed fills the queues that the workers close.
    await Promise.all([this.feed.stop(), this.tidying.stop()]);
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await Promise.all([this.options.screening.stop(), this.facilitators.stop()]);
  }

  private workerOf({ chain, client, confirmations, earlierSeconds, tokens }: SettledChain): SettlementWorker {
    const { bus, clock, log, options, pool, store } = this;
    const { redisUrl, screening, upcast, wallets } = options;
    const { network } = chain;
    const book = new PostgresTransactionBook(pool, network);
    const execute: Execute = (command) => bus.execute(command);
    const signatures = signatureReader(pool);
    return new SettlementWorker({
      ...{
        redisUrl,
        chain,
        client,
        tokens,
        confirmations,
        earlierSeconds,
        upcast,
        pool,
        store,
        log,
        clock,
        book,
        wallets,
      },
      lanes: new SettlerLanes(book, new GasWatch(chain, clock, log)),
      prices: gasPricesOf(chain, clock),
      fees: new NetworkFees({ store, network, items: itemReader(pool) }),
      executeRefund: (command) => bus.execute(command),
      ...{ execute, signatures, remote: this.facilitators.on(chain, { execute, signatures }) },
      load: (id) => loadPayment(store, id),
      screen: (payer) => verdictOn(screening, payer),
    });
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
