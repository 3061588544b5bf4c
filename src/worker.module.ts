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
import { settlementChain } from './base/chain/chains.js';
import { keySigner } from './base/chain/signer.js';
import { LogTail } from './base/event-store/log-tail.js';
import { ProjectionRunner } from './base/event-store/projection-runner.js';
import type { Logger } from './base/platform/logger.js';
import { CLOCK, LOGGER, POOL } from './base/platform/tokens.js';
import { WakeLoop } from './base/platform/wake-loop.js';
import type { Clock } from './base/shared/clock.js';
import { SETTLEMENT_FRESH_MS, screeningOf } from './domains/customers/screening.js';
import { BillingModule } from './domains/invoicing/invoicing.module.js';
import { readPrepaid } from './domains/ledger/prepaid.queries.js';
import { purgeWindows } from './domains/limits/purge-windows.js';
import { sweepCommitments } from './domains/payments/commitment.sweep.js';
import { sweepFreeRequests } from './domains/payments/free-request.sweep.js';
import { sweepDeadGateways } from './domains/payments/gateway-lease.js';
import { PaymentsModule } from './domains/payments/payments.module.js';
import { purgeExpired } from './domains/payments/purge.js';
import { CardWorkModule } from './domains/settlement/cards/cards.module.js';
import { RefundWallets } from './domains/settlement/refunds/refund-wallets.js';
import { SettlementModule } from './domains/settlement/settlement.module.js';
import { upcast } from './event-catalogue.js';
import { projections } from './projections.js';
import { type Runtime, RuntimeModule } from './runtime.js';
import { Sealing } from './sealing.js';

const SWEEP_MS = 2_000;
const PURGE_MS = 60_000;

/** Projections, the sweep for dead gateways, and the purge of what need not be kept. */
@Injectable()
class Chores implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly projections: readonly ProjectionRunner[];
  private readonly loops: readonly WakeLoop[];

  constructor(
    @Inject(POOL) pool: Pool,
    @Inject(LogTail) tail: LogTail,
    @Inject(LOGGER) log: Logger,
    @Inject(CLOCK) clock: Clock,
    @Inject(CommandBus) bus: CommandBus,
  ) {
    this.projections = projections.map((projection) => new ProjectionRunner(pool, tail, projection, log, upcast));
    this.loops = [
      new WakeLoop('dead gateway sweep', () => sweepDeadGateways(pool, bus), SWEEP_MS, log),
      new WakeLoop('free requests of dead gateways', () => sweepFreeRequests(pool, bus), SWEEP_MS, log),
      new WakeLoop('commitments of dead gateways', () => sweepCommitments(pool, bus), SWEEP_MS, log),
      new WakeLoop('purge', () => purgeExpired(pool, clock()), PURGE_MS, log),
      new WakeLoop('purge of windows', () => purgeWindows(pool, clock()), PURGE_MS, log),
    ];
  }

  onApplicationBootstrap(): void {
    for (const one of [...this.projections, ...this.loops]) one.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.projections, ...this.loops].map((one) => one.stop()));
  }
}

/** Everything that happens after the answer went out. */
@Module({})
export class WorkerModule {
  static of(runtime: Runtime): DynamicModule {
    const { config, secrets, tokens } = runtime;
    const chains = [...runtime.chains].map(([network, chain]) => ({
      chain: settlementChain(chain, secrets.settlerKeys),
      client: chain.client,
      tokens: tokens.on(network)!,
      confirmations: chain.settings.confirmations,
    }));
    const screening = screeningOf(config, SETTLEMENT_FRESH_MS, runtime.clock, runtime.log);
    const wallets = new RefundWallets(secrets.refundKeys.map(keySigner));
    return {
      module: WorkerModule,
      imports: [
        RuntimeModule.of(runtime),
        PaymentsModule,
        BillingModule.of(config.redisUrl, readPrepaid, upcast),
        CardWorkModule.of(secrets.cardKey, config.redisUrl),
        SettlementModule.of({
          ...{ redisUrl: config.redisUrl, chains, upcast, screening, wallets },
          facilitators: { key: secrets.facilitatorKey },
        }),
      ],
      providers: [Chores, Sealing],
    };
  }
}
